//! Where a site is in S3, as people write it: the bucket's name, and the folder in it. Pure.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use gha::reproduce::quote;
use gha::text;

/// The shortest and the longest name of a bucket of AWS
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
const OF_AWS: std::ops::RangeInclusive<usize> = 3..=63;

/// The longest name of older buckets of `us-east-1`, and of stores such as Ceph.
const LONGEST: usize = 255;

/// The region where buckets still have names of before the rules of March 2018 (the same page).
const OLD_REGION: &str = "us-east-1";

const EXAMPLE: &str = "write for example `--bucket www-example-com`";

/// A bucket's name that some store may have; `s3://name/` is read as the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketName(String);

impl BucketName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a bucket of AWS in this region can have the name.
    ///
    /// # Errors
    /// When none can, in words. Names that AWS keeps for itself, such as aliases of access points, are S3's to judge.
    pub fn of_aws(&self, region: Option<&str>) -> Result<(), String> {
        let name = &self.0;
        let is_new = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
        let ends = [name.bytes().next(), name.bytes().next_back()];
        let ends_well = ends
            .iter()
            .flatten()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let why = if region == Some(OLD_REGION) {
            return Ok(());
        } else if !name.bytes().all(is_new) {
            "a bucket's name on AWS is of small letters, digits, `-` and `.`"
        } else if !ends_well {
            "a bucket's name on AWS begins and ends with a letter or a digit"
        } else if !OF_AWS.contains(&name.len()) {
            "a bucket's name on AWS has from 3 to 63 characters"
        } else {
            return Ok(());
        };
        Err(format!(
            "{why}; {EXAMPLE}, and for a store that is not AWS `--endpoint-url` too"
        ))
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for BucketName {
    type Err = String;

    /// Refuses what no store has, as lax as Ceph and the oldest buckets of AWS are: a name is used in paths and in hosts.
    fn from_str(said: &str) -> Result<Self, String> {
        let name = said.strip_prefix("s3://").unwrap_or(said).trim_end_matches('/');
        let is_odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        let why = if name.is_empty() {
            "it is empty"
        } else if let Some(resource) = name.strip_prefix("arn:") {
            return Err(of_arn(resource));
        } else if let Some((bucket, folder)) = name.split_once('/').filter(|_| !name.contains("://")) {
            return Err(format!(
                "a folder of the bucket is named by `--prefix`; write `--bucket {} --prefix {}`",
                quote(&text::line(bucket)),
                quote(&text::line(folder))
            ));
        } else if name.contains(is_odd) {
            "a bucket's name is of letters, digits, `-` and `.`"
        } else if name.contains("..") {
            "a bucket's name has no two dots side by side"
        } else if name.parse::<Ipv4Addr>().is_ok() {
            "a bucket's name is no IP address, which stands in `--endpoint-url`"
        } else if name.len() < *OF_AWS.start() {
            "a bucket's name has at least 3 characters"
        } else if name.len() > LONGEST {
            "a bucket's name has at most 63 characters, and nowhere more than 255"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(format!("{why}; {EXAMPLE}"))
    }
}

/// Why an ARN is refused. Access points would need copies written in another way, and no distribution has one as its origin.
fn of_arn(resource: &str) -> String {
    // `arn:PARTITION:s3:::NAME`
    let bucket = resource.split_once(":s3:::").map(|(_, name)| name);
    match bucket.and_then(|name| name.trim_end_matches("/*").parse::<BucketName>().ok()) {
        Some(name) => format!("the name alone is wanted; write `--bucket {name}`"),
        None => format!("an ARN is no bucket's name, and access points are not supported; {EXAMPLE}"),
    }
}

/// A folder as keys begin with it: empty, or ending in `/` and beginning with none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// What all keys begin with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = String;

    /// A slash at either end is taken off, as people write folders both ways.
    fn from_str(said: &str) -> Result<Self, String> {
        let bare = said.trim_matches('/');
        let is_odd = bare
            .split('/')
            .any(|part| matches!(part, "." | ".." | ".deploy-actions"));
        if is_odd || bare.contains("//") || bare.chars().any(char::is_control) {
            return Err(
                "a folder such as `app` or `sites/app` is expected, without `.`, `..` and `.deploy-actions`"
                    .to_owned(),
            );
        }
        Ok(Self(if bare.is_empty() {
            String::new()
        } else {
            format!("{bare}/")
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn name(said: &str) -> Result<BucketName, String> {
        said.parse()
    }

    #[test]
    fn a_name_is_read_as_people_write_it() {
        for (said, is) in [
            ("s3://site/", "site"),
            ("site.example.com", "site.example.com"),
            ("My_Bucket", "My_Bucket"),
            ("1.2.3", "1.2.3"),
        ] {
            assert_eq!(name(said).unwrap().as_str(), is);
        }
        assert!(name(&"x".repeat(255)).is_ok());
    }

    #[test]
    fn what_no_store_has_is_refused_with_what_to_write() {
        for (said, why) in [
            ("", "it is empty"),
            ("s3://", "it is empty"),
            ("site/folder", "write `--bucket site --prefix folder`"),
            ("s3://site/a/b", "write `--bucket site --prefix a/b`"),
            ("https://site", "of letters"),
            ("a b", "of letters"),
            ("a?b", "of letters"),
            ("größe", "of letters"),
            ("a..b", "two dots"),
            ("192.168.1.1", "IP address"),
            ("ab", "at least 3"),
            (&"x".repeat(256), "at most 63"),
            ("arn:aws:s3:::www-example-com", "write `--bucket www-example-com`"),
            ("arn:aws:s3:::www/*", "write `--bucket www`"),
            ("arn:aws:s3:::a/b", "access points are not supported"),
            (
                "arn:aws:s3:eu-west-1:123456789012:accesspoint/site",
                "access points are not supported",
            ),
        ] {
            let refused = name(said).unwrap_err();
            assert!(
                refused.contains(why) && refused.contains("; write "),
                "{said}: {refused}"
            );
        }
    }

    #[test]
    fn aws_is_stricter_than_other_stores_but_where_old_buckets_are() {
        for (said, why) in [
            ("My-Bucket", "small letters"),
            ("my_bucket", "small letters"),
            ("-site", "begins and ends"),
            ("site.", "begins and ends"),
            (&"x".repeat(64), "63"),
        ] {
            let name = name(said).unwrap();
            for region in [None, Some("eu-west-1")] {
                let refused = name.of_aws(region).unwrap_err();
                assert!(refused.contains(why), "{said}: {refused}");
                assert!(refused.contains("; write for example"), "{refused}");
            }
            assert_eq!(name.of_aws(Some(OLD_REGION)), Ok(()));
        }
        for good in ["www-example-com", "www.example.com", "123", &"x".repeat(63)] {
            assert_eq!(name(good).unwrap().of_aws(None), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_folder_is_read_as_people_write_it() {
        for (said, is) in [
            ("", ""),
            ("/", ""),
            ("site", "site/"),
            ("/a/b/", "a/b/"),
            ("é x", "é x/"),
        ] {
            assert_eq!(said.parse::<Prefix>().unwrap().as_str(), is);
        }
        for wrong in ["..", "a/../b", "a//b", "a\nb", ".deploy-actions"] {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(said in any::<String>()) {
            let _ = name(&said);
            let _ = name(&format!("arn:{said}"));
            let _ = said.parse::<Prefix>();
        }
    }
}

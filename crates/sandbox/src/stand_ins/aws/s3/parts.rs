//! `UploadPart` and `ListParts`.

use super::buckets::Bucket;
use super::sums::base64;
use super::uploads::Part;
use super::write::{self, encrypted};
use super::{Answer, Work};
use crate::stand_ins::aws::hosting::answered::{Answered, leaf, refused};

impl Bucket {
    pub(super) fn upload_part(&mut self, work: &Work<'_>) -> Answer {
        let upload = self.upload(work)?;
        let number = work
            .ask
            .query("partNumber")
            .and_then(|number| number.parse::<u16>().ok());
        let Some(number) = number.filter(|number| (1..=10_000).contains(number)) else {
            return Err(refused(
                400,
                "InvalidArgument",
                "Part number must be an integer between 1 and 10000, inclusive",
            ));
        };
        let brought = write::body(work)?;
        if let Some(asked) = upload.algorithm
            && brought.as_ref().map(|(algorithm, _)| *algorithm) != Some(asked)
        {
            let given = brought.map_or("null".to_owned(), |(algorithm, _)| {
                algorithm.name().to_lowercase()
            });
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {given}",
                asked.name().to_lowercase()
            );
            return Err(refused(400, "InvalidRequest", &message));
        }
        let etag = write::etag(&work.taken.md5, &upload.encryption, work);
        let mut answered =
            encrypted(Answered::empty(200), &upload.encryption).header("etag", format!("\"{etag}\""));
        if let Some((algorithm, value)) = brought {
            answered = answered.header(&algorithm.header(), value);
        }
        let part = Part {
            etag,
            taken: work.taken.clone(),
            modified: work.now,
        };
        upload.parts.insert(number, part);
        upload.lighten(work.settings.keep);
        Ok(answered)
    }

    pub(super) fn list_parts(&mut self, work: &Work<'_>) -> Answer {
        let upload = self.upload(work)?;
        let mut text = String::new();
        leaf(&mut text, "Bucket", &work.ask.bucket);
        leaf(&mut text, "Key", &work.ask.key);
        leaf(
            &mut text,
            "UploadId",
            work.ask.query("uploadId").unwrap_or_default(),
        );
        leaf(&mut text, "StorageClass", &upload.class);
        leaf(&mut text, "MaxParts", "10000");
        leaf(&mut text, "IsTruncated", "false");
        for (number, part) in &upload.parts {
            text.push_str("<Part>");
            leaf(&mut text, "PartNumber", &number.to_string());
            leaf(&mut text, "LastModified", &work.time(part.modified));
            leaf(&mut text, "ETag", &format!("\"{}\"", part.etag));
            leaf(&mut text, "Size", &part.taken.size.to_string());
            if let Some((algorithm, value)) = upload
                .algorithm
                .and_then(|algorithm| Some((algorithm, part.taken.sum(algorithm)?)))
            {
                leaf(
                    &mut text,
                    &format!("Checksum{}", algorithm.name()),
                    &base64(value),
                );
            }
            text.push_str("</Part>");
        }
        Ok(work.xml("ListPartsResult", &text))
    }
}

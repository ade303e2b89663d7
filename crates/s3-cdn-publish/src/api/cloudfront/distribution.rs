//! What a distribution tells of how keys become paths.
//!
//! Limits: whether a cache policy puts query strings into the cache key takes another permission to read, so it is known of
//! distributions without such policies alone. Of a function only its place is known, not what it does. Headers that the
//! distribution sends to its origins are never kept: some of them are secrets.

use aws_sdk_cloudfront::types as sdk;
use gha::text;

use crate::invalidation::encoding::comparable;
use crate::invalidation::{Forms, Web};

/// A distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Its id.
    pub id: String,
    /// Its own name, such as `d111111abcdef8.cloudfront.net`.
    pub domain: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Whether it answers visitors.
    pub enabled: bool,
    /// Whether its configuration is everywhere.
    pub deployed: bool,
    /// The object that it answers `/` with.
    pub root_object: Option<String>,
    /// Where objects come from.
    pub origins: Vec<Origin>,
    /// Whether a function may change paths.
    pub rewrites: bool,
    /// Whether query strings are known to be in the cache key.
    pub query_strings: bool,
    /// The header that cache tags are read from.
    pub tag_header: Option<String>,
    /// How errors are answered.
    pub error_pages: Vec<ErrorPage>,
}

/// Where objects come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub domain: String,
    /// What stands before each path there: empty, or `/site`.
    pub path: String,
}

/// How an error of the origin is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The status of the origin, such as 404.
    pub code: u16,
    /// The path of the page that stands for it, such as `/index.html`.
    pub page: Option<String>,
    /// How long the answer is cached under the path that was asked for, at least, in seconds.
    pub seconds: u64,
}

/// How long CloudFront keeps errors where nothing else is said, in seconds
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html>).
const ERROR_SECONDS: u64 = 10;

impl Distribution {
    /// What an answer of CloudFront says. None where it says nothing.
    pub(super) fn of(found: &sdk::Distribution) -> Option<Self> {
        let config = found.distribution_config.as_ref()?;
        let behaviors = Behaviors::of(config);
        let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Some(Self {
            id: found.id.clone(),
            domain: found.domain_name.clone(),
            aliases: config
                .aliases
                .as_ref()
                .map(|aliases| aliases.items().to_vec())
                .unwrap_or_default(),
            enabled: config.enabled,
            deployed: found.status.eq_ignore_ascii_case("Deployed"),
            root_object: named(&config.default_root_object),
            origins: config
                .origins
                .iter()
                .flat_map(sdk::Origins::items)
                .map(origin)
                .collect(),
            rewrites: behaviors.rewrites,
            query_strings: behaviors.query_strings,
            tag_header: config
                .cache_tag_config
                .as_ref()
                .map(|tags| tags.header_name.clone()),
            error_pages: config
                .custom_error_responses
                .iter()
                .flat_map(sdk::CustomErrorResponses::items)
                .filter_map(error_page)
                .collect(),
        })
    }

    /// The origins that are this bucket.
    #[must_use]
    pub fn origins_of(&self, bucket: &str) -> Vec<&Origin> {
        self.origins
            .iter()
            .filter(|origin| origin.is_bucket(bucket))
            .collect()
    }

    /// How keys below `prefix` of this bucket become paths. Where no origin is known to be the bucket, any may be.
    #[must_use]
    pub fn web(&self, bucket: &str, prefix: &str) -> Web {
        let known = self.origins_of(bucket);
        let plain = !known.is_empty() && !self.rewrites && known.iter().all(|origin| !origin.is_website());
        let all = || self.origins.iter().collect();
        let origins: Vec<&Origin> = if known.is_empty() { all() } else { known };
        let mut origin_paths: Vec<String> = origins.iter().map(|origin| origin.path.clone()).collect();
        if origin_paths.is_empty() {
            origin_paths.push(String::new());
        }
        origin_paths.sort();
        origin_paths.dedup();
        Web {
            origin_paths,
            root_object: self.root_object.clone(),
            forms: if plain { Forms::NONE } else { Forms::DIRECTORIES },
            query_strings: self.query_strings,
            ..Web::new(prefix)
        }
    }

    /// Where visitors find the site, by the first of its names that is one host's.
    #[must_use]
    pub fn site_url(&self, web: &Web) -> String {
        let alias = self.aliases.iter().find(|alias| !alias.starts_with('*'));
        let host = alias.unwrap_or(&self.domain);
        let own = || {
            web.url_path
                .as_ref()
                .map(|path| format!("/{}/", path.trim_matches('/')))
        };
        let path = own().or_else(|| web.paths("").into_iter().next());
        let path = path.filter(|path| path != "//").unwrap_or_else(|| "/".to_owned());
        format!("https://{host}{}", comparable(&path))
    }

    /// The name of the objects' metadata that cache tags are read from, where S3 can send them: `cache-tag` for the header
    /// `x-amz-meta-cache-tag`.
    #[must_use]
    pub fn tag_metadata(&self) -> Option<String> {
        let header = self.tag_header.as_deref()?.to_ascii_lowercase();
        let name = header.strip_prefix("x-amz-meta-")?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// What a person should know before a site of this bucket is published, in words.
    #[must_use]
    pub fn remarks(&self, bucket: &str) -> Vec<String> {
        let mut remarks = Vec::new();
        let inert = |words: &str| text::cut(&text::line(words), 80);
        let id = inert(&self.id);
        if !self.enabled {
            remarks.push(format!(
                "distribution `{id}` is disabled, so nobody sees the site there"
            ));
        }
        if self.enabled && !self.deployed {
            remarks.push(format!(
                "distribution `{id}` is being changed, and visitors may see the earlier configuration"
            ));
        }
        if self.origins_of(bucket).is_empty() {
            remarks.push(format!(
                "no origin of distribution `{id}` is known to be bucket `{bucket}`"
            ));
        }
        for page in self
            .error_pages
            .iter()
            .filter(|page| page.seconds > ERROR_SECONDS)
        {
            let (seconds, code) = (page.seconds, page.code);
            remarks.push(match &page.page {
                Some(shown) => format!(
                    "distribution `{id}` keeps `{}` for {seconds} s under each path that answers {code}, and no invalidation \
                     of that page changes it",
                    inert(shown)
                ),
                None => format!(
                    "distribution `{id}` keeps answers of {code} for {seconds} s, so what was asked for before it was there is \
                     missing as long"
                ),
            });
        }
        remarks
    }
}

impl Origin {
    /// Whether this is a bucket, by its name: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html> and
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html>.
    #[must_use]
    pub fn is_bucket(&self, bucket: &str) -> bool {
        self.service(bucket).is_some()
    }

    /// Whether it is the website endpoint of a bucket.
    #[must_use]
    pub fn is_website(&self) -> bool {
        self.domain.contains(".s3-website-") || self.domain.contains(".s3-website.")
    }

    /// The part of S3 that stands behind the bucket's name.
    fn service(&self, bucket: &str) -> Option<&str> {
        let rest = self.domain.strip_prefix(bucket)?.strip_prefix('.')?;
        let service = rest
            .strip_suffix(".amazonaws.com")
            .or_else(|| rest.strip_suffix(".amazonaws.com.cn"))
            .or_else(|| rest.strip_suffix(".amazonaws.eu"))?;
        let region = match service {
            "s3" => return Some(service),
            _ => ["s3.dualstack.", "s3-website.", "s3-website-", "s3.", "s3-"]
                .iter()
                .find_map(|start| service.strip_prefix(start))?,
        };
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (!region.is_empty() && region.chars().all(letter)).then_some(service)
    }
}

/// What the behaviours of a distribution do with requests.
#[derive(Debug, Default)]
struct Behaviors {
    rewrites: bool,
    query_strings: bool,
}

impl Behaviors {
    #[expect(
        deprecated,
        reason = "distributions without a cache policy still have forwarded values"
    )]
    fn of(config: &sdk::DistributionConfig) -> Self {
        let mut all = Self::default();
        if let Some(default) = &config.default_cache_behavior {
            all.add(
                default.function_associations.as_ref(),
                default.lambda_function_associations.as_ref(),
                &default.forwarded_values,
            );
        }
        for behavior in config.cache_behaviors.iter().flat_map(sdk::CacheBehaviors::items) {
            all.add(
                behavior.function_associations.as_ref(),
                behavior.lambda_function_associations.as_ref(),
                &behavior.forwarded_values,
            );
        }
        all
    }

    fn add(
        &mut self,
        functions: Option<&sdk::FunctionAssociations>,
        lambdas: Option<&sdk::LambdaFunctionAssociations>,
        forwarded: &Option<sdk::ForwardedValues>,
    ) {
        let changes = |event: &sdk::EventType| {
            matches!(
                event,
                sdk::EventType::ViewerRequest | sdk::EventType::OriginRequest
            )
        };
        let mut functions = functions
            .into_iter()
            .flat_map(sdk::FunctionAssociations::items)
            .map(|function| &function.event_type);
        let mut lambdas = lambdas
            .into_iter()
            .flat_map(sdk::LambdaFunctionAssociations::items)
            .map(|lambda| &lambda.event_type);
        self.rewrites |= functions.any(changes) || lambdas.any(changes);
        self.query_strings |= forwarded.as_ref().is_some_and(|values| values.query_string);
    }
}

fn origin(found: &sdk::Origin) -> Origin {
    Origin {
        domain: found.domain_name.to_ascii_lowercase(),
        path: found.origin_path.clone().unwrap_or_default(),
    }
}

fn error_page(found: &sdk::CustomErrorResponse) -> Option<ErrorPage> {
    Some(ErrorPage {
        code: u16::try_from(found.error_code).ok()?,
        page: found.response_page_path.clone().filter(|page| !page.is_empty()),
        seconds: found.error_caching_min_ttl.map_or(ERROR_SECONDS, |seconds| {
            u64::try_from(seconds).unwrap_or_default()
        }),
    })
}

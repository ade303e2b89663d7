//! The flags of `s3-cdn-publish`; in an action each is an input of the same name.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use gha::flags::Common;
use gha::interface::HELP_TEMPLATE;

use crate::keep::Most;

mod bucket;
mod interface;
mod web;

pub use bucket::{BucketName, Prefix};
pub use interface::INTERFACE;

/// Examples of all commands.
const EXAMPLES: &str = "Examples:
  s3-cdn-publish publish --source dist --bucket www-example-com --distribution-id E2EXAMPLE
  s3-cdn-publish plan --source dist --bucket www-example-com --distribution-id E2EXAMPLE
  s3-cdn-publish rollback --bucket www-example-com --distribution-id E2EXAMPLE
  s3-cdn-publish releases --bucket www-example-com
  s3-cdn-publish prune --bucket www-example-com --distribution-id E2EXAMPLE --keep-releases 1
  s3-cdn-publish recover --bucket www-example-com --distribution-id E2EXAMPLE

Files that never change under their name go first, then others, then pages, the index document last; then CloudFront is told \
what changed; only then something is deleted. A run that fails on the way brings back what visitors had.";

/// A count, from 0.
fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("`{}` is no count", gha::text::line(text)))
}

/// Publishes a built site to S3 and CloudFront, so that no visitor ever gets a page whose assets are missing.
#[derive(Debug, Parser)]
#[command(
    name = "s3-cdn-publish",
    disable_help_subcommand = true,
    before_help = EXAMPLES,
    help_template = HELP_TEMPLATE
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of all tools.
    #[command(flatten)]
    pub common: Common,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publishes a folder: assets first, then pages, then the CDN; what nobody needs any more goes last.
    #[command(
        before_help = "Examples:
  s3-cdn-publish publish --source dist --bucket www-example-com --distribution-id E2EXAMPLE
  s3-cdn-publish publish --source dist --bucket www-example-com --prefix app --delete \\
    --rule 'downloads/** = public, max-age=3600'
  s3-cdn-publish publish --source dist --bucket site --region auto \\
    --endpoint-url https://ACCOUNT.r2.cloudflarestorage.com",
        help_template = HELP_TEMPLATE
    )]
    Publish(Box<Publish>),
    /// Shows what `publish` would change, and changes nothing.
    #[command(
        before_help = "Examples:
  s3-cdn-publish plan --source dist --bucket www-example-com --distribution-id E2EXAMPLE
  s3-cdn-publish plan --source dist --bucket www-example-com --output json",
        help_template = HELP_TEMPLATE
    )]
    Plan(Box<Publish>),
    /// Brings the release before back, or the one that is named: copies inside the bucket and one invalidation.
    #[command(
        before_help = "Examples:
  s3-cdn-publish rollback --bucket www-example-com --distribution-id E2EXAMPLE
  s3-cdn-publish rollback --bucket www-example-com --distribution-id E2EXAMPLE \\
    --to 20260102T030405Z-1a2b3c4",
        help_template = HELP_TEMPLATE
    )]
    Rollback(Rollback),
    /// Lists the releases that can be gone back to.
    #[command(
        before_help = "Examples:
  s3-cdn-publish releases --bucket www-example-com",
        help_template = HELP_TEMPLATE
    )]
    Releases(Releases),
    /// Deletes what earlier releases left and no release that is kept has any more.
    #[command(
        before_help = "Examples:
  s3-cdn-publish prune --bucket www-example-com --distribution-id E2EXAMPLE --keep-releases 1",
        help_template = HELP_TEMPLATE
    )]
    Prune(Prune),
    /// Finishes or undoes what a run left that was cancelled, killed or lost; for a step with `if: cancelled() || failure()`.
    #[command(
        before_help = "Examples:
  s3-cdn-publish recover --bucket www-example-com --distribution-id E2EXAMPLE",
        help_template = HELP_TEMPLATE
    )]
    Recover(Recover),
}

/// Where a site is.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Bucket: its name, such as `www-example-com`.
    #[arg(long, value_name = "NAME", required = true, help_heading = "Site")]
    pub bucket: BucketName,
    /// Folder of the bucket that the site is in, such as `app`; nothing outside of it is touched [default: the whole bucket].
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "",
        hide_default_value = true,
        help_heading = "Site"
    )]
    pub prefix: Prefix,
    /// CloudFront distribution before it: its id, such as `E2EXAMPLE`. Without it no CDN is told.
    #[arg(long, value_name = "ID", value_parser = web::distribution_id, help_heading = "CDN")]
    pub distribution_id: Option<String>,
    /// Region of the bucket [default: the environment's or the profile's].
    #[arg(long, value_name = "REGION", help_heading = "AWS")]
    pub region: Option<String>,
    /// Role to take for the run: by the workflow's OIDC token where the job may have one, else by the credentials at hand.
    #[arg(long, value_name = "ARN", value_parser = aws::flags::role_arn, help_heading = "AWS")]
    pub role_arn: Option<String>,
    /// Address of the service instead of AWS, for R2, MinIO, Ceph and tests.
    #[arg(long, value_name = "URL", value_parser = aws::flags::endpoint_url, help_heading = "AWS")]
    pub endpoint_url: Option<String>,
    /// Address of the site, for the summary, messages and the output `site-url` [default: the distribution's].
    #[arg(long, value_name = "URL", value_parser = web::site_url, help_heading = "Result")]
    pub site_url: Option<String>,
    /// Name of the deployment environment, for the ledger and messages.
    #[arg(long, value_name = "NAME", help_heading = "Result")]
    pub environment: Option<String>,
}

/// The folder, and how its files are served.
#[derive(Clone, Debug, Args)]
pub struct Source {
    /// Folder of the built site, such as `dist`.
    #[arg(long, value_name = "FOLDER", required = true, help_heading = "Files")]
    pub source: PathBuf,
    /// File with rules for headers, in YAML: the first rule that matches a file counts for it, alone.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub rules: Option<PathBuf>,
    /// Rule for a header, as `pattern = Cache-Control`, such as `downloads/** = public, max-age=3600`; may be given again.
    #[arg(long, value_name = "RULE", conflicts_with = "rules", help_heading = "Files")]
    pub rule: Vec<String>,
    /// File that the source can't be without, and that is written last; `none` for a folder that is no site.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "index.html",
        help_heading = "Files"
    )]
    pub index_document: String,
    /// Publish hidden files too; `.well-known` always is, `.git` and `.env` never are.
    #[arg(long, help_heading = "Files")]
    pub hidden: bool,
}

/// How the CDN is told.
#[derive(Clone, Debug, Args)]
pub struct Cdn {
    /// Wait until the invalidation is complete.
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, help_heading = "CDN")]
    pub wait: bool,
    /// Longest time for it; what is not complete by then is exit 4.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = gha::duration::parse, help_heading = "CDN")]
    pub wait_timeout: Duration,
    /// Most paths of an invalidation; more become wildcards. CloudFront bills each path beyond 1,000 a month.
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = web::max_paths, help_heading = "CDN")]
    pub max_paths: usize,
    /// Path under which visitors see the site, such as `/docs/`, where a function of the CDN changes paths.
    #[arg(long, value_name = "PATH", value_parser = web::url_path, help_heading = "CDN")]
    pub url_path: Option<String>,
    /// Cache tag that all but hashed files get, and by which they are invalidated instead of by paths; the distribution must have
    /// cache tags by `x-amz-meta-cache-tag`.
    #[arg(long, value_name = "TAG", value_parser = web::cache_tag, help_heading = "CDN")]
    pub cache_tag: Option<String>,
}

/// What becomes of what left the site.
#[derive(Clone, Debug, Args)]
pub struct Tidy {
    /// Earlier releases that can be gone back to; their files stay in the bucket.
    #[arg(
        long,
        value_name = "COUNT",
        default_value = "3",
        value_parser = count,
        help_heading = "Earlier releases"
    )]
    pub keep_releases: usize,
    /// Time that files stay besides after they left the site, such as `168h`, for visitors who still have an earlier page open.
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Earlier releases")]
    pub grace: Option<Duration>,
    /// Most objects that a run may delete: a count such as `500`, or a share of all that was published here, such as `50%`.
    #[arg(
        long,
        value_name = "MOST",
        default_value = "50%",
        help_heading = "Earlier releases"
    )]
    pub max_delete: Most,
}

/// How fast.
#[derive(Clone, Copy, Debug, Args)]
pub struct Speed {
    /// Most requests under way at once, from 1 to 512; fewer where the store asks for it.
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=512), help_heading = "Time")]
    pub concurrency: u16,
    /// Longest time for all but reading the files and the invalidation.
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub timeout: Duration,
}

/// The flags of `publish` and `plan`.
#[derive(Clone, Debug, Args)]
pub struct Publish {
    /// What.
    #[command(flatten)]
    pub source: Source,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// The CDN.
    #[command(flatten)]
    pub cdn: Cdn,
    /// Delete files of earlier releases that no release that is kept has.
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set, help_heading = "Earlier releases")]
    pub delete: bool,
    /// What stays.
    #[command(flatten)]
    pub tidy: Tidy,
    /// How fast.
    #[command(flatten)]
    pub speed: Speed,
}

/// The flags of `rollback`.
#[derive(Clone, Debug, Args)]
pub struct Rollback {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Release to go back to: its id, the beginning of it, or the commit that it was built from [default: the one before].
    #[arg(long, value_name = "RELEASE", help_heading = "Earlier releases")]
    pub to: Option<String>,
    /// The CDN.
    #[command(flatten)]
    pub cdn: Cdn,
    /// How fast.
    #[command(flatten)]
    pub speed: Speed,
}

/// The flags of `releases`.
#[derive(Clone, Debug, Args)]
pub struct Releases {
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// The flags of `prune`.
#[derive(Clone, Debug, Args)]
pub struct Prune {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// What stays.
    #[command(flatten)]
    pub tidy: Tidy,
    /// The CDN.
    #[command(flatten)]
    pub cdn: Cdn,
    /// How fast.
    #[command(flatten)]
    pub speed: Speed,
}

/// The flags of `recover`.
#[derive(Clone, Debug, Args)]
pub struct Recover {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// The CDN.
    #[command(flatten)]
    pub cdn: Cdn,
    /// How fast.
    #[command(flatten)]
    pub speed: Speed,
}

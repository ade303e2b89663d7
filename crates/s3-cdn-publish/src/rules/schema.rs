//! The published JSON Schema of rules files, so that an editor offers and checks keys. It checks shapes; values, reading
//! checks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::file::{MOST, PHASES};
use super::value::{ACLS, ENCRYPTIONS, STORAGE_CLASSES};

/// The schema (<https://json-schema.org/draft/2020-12>).
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(NoNull);
    let mut schema = settings.into_generator().into_root_schema_for::<File>();
    schema.insert("title".to_owned(), "s3-cdn-publish: rules".into());
    schema.to_value()
}

/// How the files of a site are stored. The first rule that matches a file counts for it, alone; what that rule leaves out
/// is as it is without rules.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the keys are read from a tree, so that each fault has its place"
)]
struct File {
    /// The version of this format: 1, which is also the default.
    #[schemars(extend("enum" = [1, "1"]))]
    version: Option<Scalar>,
    /// The rules, in their order.
    #[schemars(required)]
    rules: Option<Many<Rule>>,
}

/// What some files get.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "the keys are read from a tree, so that each fault has its place"
)]
struct Rule {
    /// Which files: a pattern of the path in the site, or a list of them. `*` stays within a folder, `**` crosses folders,
    /// `{a,b}` is either.
    #[schemars(required)]
    r#match: Option<Many<String>>,
    /// When they are sent: with the `assets` first, then `others`, then `pages`. The index document of the root is always
    /// last.
    #[schemars(extend("enum" = PHASES))]
    phase: Option<String>,
    /// Whether caches may keep them for a year without asking. Only for files whose name changes with their content.
    immutable: Option<bool>,
    /// `Cache-Control`; `none` for no such header.
    cache_control: Option<String>,
    /// `Content-Type`.
    content_type: Option<String>,
    /// `Content-Encoding`, such as `br`, of files that are stored encoded; `none` for no such header.
    content_encoding: Option<String>,
    /// `Content-Disposition`, such as `attachment`.
    content_disposition: Option<String>,
    /// `Content-Language`, such as `en`.
    content_language: Option<Scalar>,
    /// Metadata of your own: each is a header `x-amz-meta-…`. At most 2 KB together.
    metadata: Option<BTreeMap<String, Scalar>>,
    /// Cache tags of CloudFront, as the metadata `cache-tag`; one or a list.
    cache_tag: Option<Many<Scalar>>,
    /// The storage class. Default: `STANDARD`.
    #[schemars(extend("enum" = STORAGE_CLASSES))]
    storage_class: Option<String>,
    /// Server-side encryption. Default: the bucket's.
    #[schemars(extend("enum" = ENCRYPTIONS))]
    encryption: Option<String>,
    /// The id, alias or ARN of the KMS key.
    kms_key: Option<String>,
    /// A canned ACL, for buckets that still take them.
    #[schemars(extend("enum" = ACLS))]
    acl: Option<String>,
    /// Where a website endpoint of S3 sends visitors instead: a path, or an address.
    website_redirect: Option<String>,
}

/// A text, or what YAML takes for something else although a text is meant.
struct Scalar;

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// One, or a list of them.
struct Many<T>(std::marker::PhantomData<T>);

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Many{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": MOST}]})
    }
}

/// A key may be left out, not be empty.
#[derive(Clone)]
struct NoNull;

impl Transform for NoNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = &types[..] {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
            any.retain(|one| *one != json!({"type": "null"}));
        }
        transform_subschemas(self, schema);
    }
}

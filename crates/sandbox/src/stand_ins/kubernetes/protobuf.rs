//! Reviews as clients with types send them: in protobuf. Nothing else is read in it; such a request is refused with 415.
//!
//! The numbers of fields are those of the API's `generated.proto` files.

use serde_json::{Map, Value, json};

/// What stands before every object.
const MAGIC: &[u8] = b"k8s\0";

/// A review that is asked in protobuf, as JSON.
pub(super) fn review(bytes: &[u8]) -> Option<Value> {
    let envelope = fields(bytes.strip_prefix(MAGIC)?)?;
    let about = fields(first(&envelope, 1)?)?;
    let (api_version, kind) = (text(&about, 1), text(&about, 2));
    let review = fields(first(&envelope, 2)?)?;
    let spec = fields(first(&review, 2).unwrap_or_default())?;
    let spec = match kind.as_str() {
        "SelfSubjectAccessReview" => access(&spec)?,
        "SelfSubjectRulesReview" => json!({ "namespace": text(&spec, 1) }),
        "SelfSubjectReview" => json!({}),
        _ => return None,
    };
    Some(json!({ "apiVersion": api_version, "kind": kind, "spec": spec }))
}

fn access(spec: &[(u64, &[u8])]) -> Option<Value> {
    let named = |bytes: &[u8], names: &[&str]| {
        let found = fields(bytes)?;
        let pairs = names.iter().zip(1..).map(|(name, number)| {
            let value = Value::from(text(&found, number));
            ((*name).to_owned(), value)
        });
        Some(Value::Object(pairs.collect::<Map<String, Value>>()))
    };
    let resource = [
        "namespace",
        "verb",
        "group",
        "version",
        "resource",
        "subresource",
        "name",
    ];
    match (first(spec, 1), first(spec, 2)) {
        (Some(bytes), _) => Some(json!({ "resourceAttributes": named(bytes, &resource)? })),
        (None, Some(bytes)) => Some(json!({ "nonResourceAttributes": named(bytes, &["path", "verb"])? })),
        (None, None) => None,
    }
}

fn first<'a>(fields: &[(u64, &'a [u8])], number: u64) -> Option<&'a [u8]> {
    let found = fields.iter().find(|(known, _)| *known == number);
    found.map(|(_, bytes)| *bytes)
}

fn text(fields: &[(u64, &[u8])], number: u64) -> String {
    String::from_utf8_lossy(first(fields, number).unwrap_or_default()).into_owned()
}

/// The fields with a length, by their numbers; others are passed over.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        match key & 7 {
            0 => {
                varint(&mut bytes)?;
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                found.push((key >> 3, value));
                bytes = rest;
            }
            _ => return None,
        }
    }
    Some(found)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut written = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        written.extend_from_slice(bytes);
        written
    }

    #[test]
    fn an_access_review_is_read() {
        let attributes = [
            field(1, b"default"),
            field(2, b"create"),
            field(5, b"pods"),
            field(6, b"portforward"),
        ]
        .concat();
        let about = [
            field(1, b"authorization.k8s.io/v1"),
            field(2, b"SelfSubjectAccessReview"),
        ]
        .concat();
        let review_of = field(2, &field(1, &attributes));
        let bytes = [MAGIC.to_vec(), field(1, &about), field(2, &review_of)].concat();
        let read = review(&bytes).unwrap();
        assert_eq!(read["spec"]["resourceAttributes"]["subresource"], "portforward");
        assert_eq!(read["spec"]["resourceAttributes"]["group"], "");
    }

    proptest! {
        #[test]
        fn foreign_bytes_do_not_panic(bytes: Vec<u8>) {
            review(&[MAGIC, &bytes].concat());
        }
    }
}

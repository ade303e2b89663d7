//! `DeleteObject` and `DeleteObjects`: what is not there is as good as deleted, and a batch says of each key how it went.

use roxmltree::Document;

use super::buckets::Bucket;
use super::object::Object;
use super::{Answer, Work, headers, write};
use crate::stand_ins::aws::call::Refusal;
use crate::stand_ins::aws::hosting::answered::{Answered, Refused, leaf, refused};

/// The most keys of a batch.
const MOST: usize = 1000;

/// One key of a batch, and the `ETag` that it must have.
struct Item {
    key: String,
    etag: Option<String>,
}

impl Bucket {
    pub(super) fn delete(&mut self, work: &Work<'_>) -> Answer {
        let key = &work.ask.key;
        if let Some(etag) = work.head.header("if-match") {
            check(key, etag, self.objects.get(key))?;
        }
        self.objects.remove(key);
        Ok(Answered::empty(204))
    }

    pub(super) fn delete_all(&mut self, work: &Work<'_>) -> Answer {
        let brought = write::body(work)?;
        if brought.is_none() && work.head.header("content-md5").is_none() {
            return Err(refused(
                400,
                "InvalidRequest",
                "Missing required header for this request: Content-MD5",
            ));
        }
        let (items, quiet) = read(work.taken.bytes()).ok_or_else(|| {
            refused(
                400,
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        })?;
        let mut text = String::new();
        for item in &items {
            match self.delete_one(work, item) {
                Ok(()) if quiet => {}
                Ok(()) => {
                    text.push_str("<Deleted>");
                    leaf(&mut text, "Key", &item.key);
                    text.push_str("</Deleted>");
                }
                Err(refusal) => {
                    text.push_str("<Error>");
                    leaf(&mut text, "Key", &item.key);
                    leaf(&mut text, "Code", &refusal.code);
                    leaf(&mut text, "Message", &refusal.message);
                    text.push_str("</Error>");
                }
            }
        }
        Ok(work.xml("DeleteResult", &text))
    }

    fn delete_one(&mut self, work: &Work<'_>, item: &Item) -> Result<(), Refusal> {
        if let Some(refusal) = (work.refusal)(&item.key) {
            return Err(refusal);
        }
        if let Some(etag) = &item.etag {
            check(&item.key, etag, self.objects.get(&item.key)).map_err(|refused| refused.refusal)?;
        }
        self.objects.remove(&item.key);
        Ok(())
    }
}

/// [Conditional deletes](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html).
fn check(key: &str, etag: &str, there: Option<&Object>) -> Result<(), Refused> {
    match there {
        Some(object) if headers::same(etag, &object.etag) => Ok(()),
        Some(_) => Err(headers::failed("If-Match")),
        None => Err(headers::missing(key)),
    }
}

/// Items of a batch and whether it is quiet; none for what is no batch.
fn read(body: &[u8]) -> Option<(Vec<Item>, bool)> {
    let document = Document::parse(std::str::from_utf8(body).ok()?).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "Delete" {
        return None;
    }
    let child = |node: roxmltree::Node<'_, '_>, name: &str| {
        let found = node.children().find(|child| child.tag_name().name() == name)?;
        Some(found.text().unwrap_or_default().to_owned())
    };
    let quiet = child(root, "Quiet").is_some_and(|quiet| quiet.trim() == "true");
    let objects = root
        .children()
        .filter(|child| child.tag_name().name() == "Object");
    let items: Vec<Item> = objects
        .map(|object| {
            Some(Item {
                key: child(object, "Key").filter(|key| !key.is_empty())?,
                etag: child(object, "ETag"),
            })
        })
        .collect::<Option<_>>()?;
    (1..=MOST).contains(&items.len()).then_some((items, quiet))
}

/// The keys of a batch, for who wants to know before it is done.
pub(crate) fn keys_of(body: &[u8]) -> Vec<String> {
    let items = read(body).map(|(items, _)| items).unwrap_or_default();
    items.into_iter().map(|item| item.key).collect()
}

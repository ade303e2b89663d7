//! The batch of paths in a request for an invalidation.

use roxmltree::{Document, Node};

use crate::stand_ins::aws::hosting::answered::{Refused, refused};

/// What is to be invalidated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) reference: String,
    pub(super) paths: Vec<String>,
}

impl Batch {
    /// Reads it.
    ///
    /// # Errors
    /// As CloudFront refuses a body that is none, or whose quantity is wrong.
    pub(super) fn of(body: &[u8]) -> Result<Self, Refused> {
        if body.is_empty() {
            return Err(refused(400, "MissingBody", "This operation requires a body."));
        }
        let text = std::str::from_utf8(body).ok();
        let document = text.and_then(|text| Document::parse(text).ok());
        let read = document
            .as_ref()
            .and_then(|document| Self::read(document.root_element()));
        let Some((batch, quantity)) = read else {
            return Err(refused(
                400,
                "MalformedXML",
                "The XML document was malformed or did not validate against the schema.",
            ));
        };
        if quantity != batch.paths.len() {
            return Err(refused(
                400,
                "InconsistentQuantities",
                "The value of Quantity and the size of Items don't match.",
            ));
        }
        Ok(batch)
    }

    fn read(root: Node<'_, '_>) -> Option<(Self, usize)> {
        let paths = child(root, "Paths")?;
        let items = child(paths, "Items");
        let all = items.map(|items| {
            let items = items.children().filter(Node::is_element);
            items
                .map(|path| path.text().unwrap_or_default().to_owned())
                .collect()
        });
        let batch = Self {
            reference: child(root, "CallerReference")?.text()?.to_owned(),
            paths: all.unwrap_or_default(),
        };
        let quantity = child(paths, "Quantity")?.text()?.trim().parse().ok()?;
        (root.tag_name().name() == "InvalidationBatch").then_some((batch, quantity))
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The paths of a batch, for who wants to know before it is done.
pub(crate) fn paths_of(body: &[u8]) -> Vec<String> {
    Batch::of(body).map(|batch| batch.paths).unwrap_or_default()
}

//! Answers of S3 and CloudFront: headers, bytes, and refusals in XML.

use bytes::Bytes;

use crate::stand_ins::aws::call::Refusal;

/// An answer that is ready to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The code, where it is a refusal; it may be one with status 200.
    pub(crate) code: Option<String>,
}

/// A refusal with what S3 says beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    /// Elements of its XML, such as `Region`.
    pub(crate) more: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            more: Vec::new(),
            headers: Vec::new(),
        }
    }
}

/// A refusal with this status.
pub(crate) fn refused(status: u16, code: &str, message: &str) -> Refused {
    Refusal::new(code, message).status(status).into()
}

impl Answered {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// A document of XML; `content` is what stands in its root element.
    pub(crate) fn xml(status: u16, root: &str, namespace: &str, content: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{namespace}\">{content}</{root}>"
        );
        Self::document(status, body)
    }

    /// A refusal as S3 writes it.
    pub(crate) fn s3_error(refused: &Refused, id: &str) -> Self {
        let Refusal {
            status,
            code,
            message,
        } = &refused.refusal;
        let mut text = String::new();
        leaf(&mut text, "Code", code);
        leaf(&mut text, "Message", message);
        for (name, value) in &refused.more {
            leaf(&mut text, name, value);
        }
        leaf(&mut text, "RequestId", id);
        leaf(&mut text, "HostId", "sandbox");
        let mut answered = Self::document(
            *status,
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{text}</Error>"),
        );
        for (name, value) in &refused.headers {
            answered = answered.header(name, value);
        }
        answered.code = Some(code.clone());
        answered
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn document(status: u16, text: String) -> Self {
        let answered = Self {
            status,
            body: Bytes::from(text),
            ..Self::default()
        };
        answered.header("content-type", "application/xml")
    }
}

/// Adds an element with a text.
pub(crate) fn leaf(text: &mut String, name: &str, value: &str) {
    text.push('<');
    text.push_str(name);
    text.push('>');
    escape(text, value);
    text.push_str("</");
    text.push_str(name);
    text.push('>');
}

/// Adds text that is no mark-up. Control characters become references, also those that XML 1.0 forbids, as S3 has it.
pub(crate) fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\0'..'\u{20}' => text.push_str(&format!("&#x{:x};", u32::from(character))),
            _ => text.push(character),
        }
    }
}

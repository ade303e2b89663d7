//! What an HTTP target answered.

/// An answer as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case with their values, in order.
    pub headers: Vec<(String, String)>,
    /// The body's beginning, at most [`BODY_LIMIT`] bytes.
    pub body: Vec<u8>,
    /// Whether the body went on.
    pub cut: bool,
}

/// The most that is read of a body; a health page is far smaller.
pub const BODY_LIMIT: usize = 1024 * 1024;

impl Answer {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

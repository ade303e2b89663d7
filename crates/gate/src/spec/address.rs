//! Addresses as gate files hold them.

use std::fmt;

use gha::edge::http::Url;

use crate::probe::http::shown;

/// An `http` or `https` address. It may hold a password; what is shown of it does not.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// The whole address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl From<Url> for Address {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

/// Without user, password and the values of the query.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let address = Address::from(Url::parse("https://u:secret@x/?t=secret").unwrap());
        assert!(!format!("{address:?} {address}").contains("secret"));
    }
}

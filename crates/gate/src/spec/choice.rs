//! Choices that a gate file offers.

/// What an inconclusive verdict does to the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInconclusive {
    /// It has its own.
    #[default]
    Report,
    /// It is a failure.
    Fail,
}

/// Which of a host's addresses are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// Whichever answers first (<https://www.rfc-editor.org/rfc/rfc8305>).
    #[default]
    Any,
    /// One of IPv4.
    V4,
    /// One of IPv6.
    V6,
    /// Each must be good.
    All,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names of <https://www.rfc-editor.org/rfc/rfc9110#section-9.3> say it"
)]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

/// Whether a connection to PostgreSQL is encrypted, as `sslmode` of libpq.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostgresTls {
    /// Never.
    Disable,
    /// Where the server can.
    #[default]
    Prefer,
    /// Always, whatever the certificate.
    Require,
    /// Always, with a certificate for the host that is trusted here.
    VerifyFull,
}

impl Method {
    /// As it is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

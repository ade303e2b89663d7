//! How each file is stored: its headers, and when it is sent. What a rules file or the lines of an input say comes
//! first, the first rule that matches alone; what that rule leaves out is as it is without rules.
//!
//! Without rules, by [`kind`]: names with a hash of their content are kept for a year; pages, service workers and web
//! manifests are `no-cache`; all else is `public, max-age=0, must-revalidate`. That last one is said because a browser
//! that is told nothing keeps a file for a tenth of its age without asking
//! (<https://www.rfc-editor.org/rfc/rfc9111#section-4.2.2>), and CloudFront for a day: visitors would get a new page
//! with old styles. Asking costs an answer without a body. `s-maxage` is not said: what an invalidation has not
//! reached yet would stay in caches that nobody here can empty.

use std::collections::HashMap;
use std::sync::Arc;

use gha::faults::{Faults, Place};
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::headers::{Encryption, Headers};
use crate::media_type;
use crate::phase::Phase;

mod file;
pub mod kind;
mod line;
mod names;
mod pattern;
mod schema;
mod tree;
mod value;

pub use line::LineError;
pub use schema::schema;

use kind::Kind;

/// `Cache-Control` of what never changes under its name (<https://www.rfc-editor.org/rfc/rfc8246>).
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// `Cache-Control` of pages: kept, and asked for each time.
pub const NO_CACHE: &str = "no-cache";

/// `Cache-Control` of all else.
pub const REVALIDATE: &str = "public, max-age=0, must-revalidate";

/// The index document without another word.
pub const INDEX: &str = "index.html";

/// How each file is stored.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// All patterns of all rules, in order.
    patterns: GlobSet,
    /// Of each pattern: its rule, and what it did.
    of: Vec<Used>,
    index: String,
    /// Few headers are different, and there may be 200,000 files.
    interned: HashMap<Headers, Arc<Headers>>,
    /// Matches of the file at hand, kept for their memory.
    matched: Vec<usize>,
}

/// One rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    patterns: Vec<Pattern>,
    phase: Option<Phase>,
    immutable: Option<bool>,
    content_type: Option<String>,
    cache_control: Option<Set>,
    content_encoding: Option<Set>,
    content_disposition: Option<String>,
    content_language: Option<String>,
    website_redirect: Option<String>,
    metadata: Vec<(String, String)>,
    storage_class: Option<String>,
    encryption: Option<Encryption>,
    acl: Option<String>,
}

/// A pattern of a rule, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    at: Place,
    glob: Glob,
}

/// A header that a rule may also take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// `none`.
    Nothing,
    /// This value.
    To(String),
}

/// What a pattern did.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    rule: usize,
    matched: bool,
    decided: bool,
}

/// How one file is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// Its headers.
    pub headers: Arc<Headers>,
    /// When it is sent.
    pub phase: Phase,
    /// Whether caches may keep it for long without asking. Its bytes are not to change under this name.
    pub immutable: bool,
}

/// A pattern that decided nothing, once all files were treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// The pattern.
    pub pattern: String,
    /// Where it stands: in a rules file, or the number of the input's line, with column 1.
    pub at: Place,
    /// Whether it matched files, all of which an earlier rule has taken.
    pub shadowed: bool,
}

impl Rules {
    /// Without any rule.
    #[must_use]
    pub fn standard() -> Self {
        Self::with(Vec::new(), GlobSet::empty())
    }

    /// Reads a rules file. `name` is its name in messages.
    ///
    /// # Errors
    /// Everything that is wrong with it; of what is no YAML at all, the first.
    pub fn read(text: &[u8], name: &str) -> Result<Self, Faults> {
        let rules = file::read(name, text)?;
        Self::of(rules).map_err(|reason| Faults::one(name, Place::START, reason))
    }

    /// Reads lines such as `assets/** = public, max-age=600`: patterns, and what `Cache-Control` they get.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn from_lines(lines: &[String]) -> Result<Self, LineError> {
        let rules = line::read(lines)?;
        Self::of(rules).map_err(|reason| LineError { line: 1, reason })
    }

    /// The same with another index document than `index.html`.
    #[must_use]
    pub fn with_index(mut self, document: &str) -> Self {
        document.clone_into(&mut self.index);
        self
    }

    fn of(rules: Vec<Rule>) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in rules.iter().flat_map(|rule| &rule.patterns) {
            set.add(pattern.glob.clone());
        }
        let set = set
            .build()
            .map_err(|_| "the patterns are too large together; write fewer or simpler ones".to_owned())?;
        Ok(Self::with(rules, set))
    }

    fn with(rules: Vec<Rule>, patterns: GlobSet) -> Self {
        let of = rules
            .iter()
            .enumerate()
            .flat_map(|(rule, one)| {
                one.patterns.iter().map(move |_| Used {
                    rule,
                    ..Used::default()
                })
            })
            .collect();
        Self {
            rules,
            patterns,
            of,
            index: INDEX.to_owned(),
            interned: HashMap::new(),
            matched: Vec::new(),
        }
    }

    /// How a file is stored. `has` says whether the site has another key: `app.js.br` beside `app.js` is its encoded
    /// form.
    pub fn treat(&mut self, key: &str, has: impl Fn(&str) -> bool) -> Treatment {
        let rule = self.first(key);
        let none = Rule::default();
        let rule = rule.and_then(|at| self.rules.get(at)).unwrap_or(&none);
        let (headers, phase, immutable) = rule.apply(key, has, &self.index);
        let headers = match self.interned.get(&headers) {
            Some(known) => Arc::clone(known),
            None => {
                let new = Arc::new(headers.clone());
                self.interned.insert(headers, Arc::clone(&new));
                new
            }
        };
        Treatment {
            headers,
            phase,
            immutable,
        }
    }

    /// The first rule that matches; notes which patterns did.
    fn first(&mut self, key: &str) -> Option<usize> {
        // In the order of the patterns.
        self.patterns.matches_into(key, &mut self.matched);
        for (index, pattern) in self.matched.iter().enumerate() {
            if let Some(used) = self.of.get_mut(*pattern) {
                used.matched = true;
                used.decided |= index == 0;
            }
        }
        let first = self.matched.first()?;
        self.of.get(*first).map(|used| used.rule)
    }

    /// The patterns that decided nothing of what was treated. Patterns of one rule that matched the same files are no
    /// fault.
    #[must_use]
    pub fn unused(&self) -> Vec<Unused> {
        let decides = |rule: usize| self.of.iter().any(|used| used.rule == rule && used.decided);
        let patterns = self.rules.iter().flat_map(|rule| &rule.patterns);
        patterns
            .zip(&self.of)
            .filter(|(_, used)| !used.matched || !decides(used.rule))
            .map(|(pattern, used)| Unused {
                pattern: pattern.glob.glob().to_owned(),
                at: pattern.at,
                shadowed: used.matched,
            })
            .collect()
    }
}

impl Rule {
    /// What this rule makes of a file.
    fn apply(&self, key: &str, has: impl Fn(&str) -> bool, index: &str) -> (Headers, Phase, bool) {
        let content_encoding = match &self.content_encoding {
            Some(set) => set.value(),
            None => media_type::of(key, has).content_encoding.map(str::to_owned),
        };
        // An encoded file is what its plain one is.
        let plain = match media_type::twin(key) {
            Some((plain, encoding)) if content_encoding.as_deref() == Some(encoding) => plain,
            _ => key,
        };
        let content_type = self
            .content_type
            .clone()
            .unwrap_or_else(|| media_type::by_name(plain).to_owned());
        let kind = match Kind::of(plain, &content_type) {
            Kind::Hashed if self.immutable == Some(false) => Kind::Other,
            kind => kind,
        };
        let immutable = self.is_immutable(kind);
        let cache_control = match &self.cache_control {
            Some(set) => set.value(),
            None if immutable => Some(IMMUTABLE.to_owned()),
            None => Some(kind.cache_control().to_owned()),
        };
        let headers = Headers {
            content_type,
            cache_control,
            content_encoding,
            content_disposition: self.content_disposition.clone(),
            content_language: self.content_language.clone(),
            website_redirect: self.website_redirect.clone(),
            metadata: self.metadata.iter().cloned().collect(),
            storage_class: self.storage_class.clone(),
            encryption: self.encryption.clone(),
            acl: self.acl.clone(),
        };
        // Whatever a rule says: all that the first page refers to is there before it.
        let phase = match self.phase {
            _ if plain == index => Phase::Index,
            Some(phase) => phase,
            None if immutable && kind != Kind::Page => Phase::Assets,
            None => kind.phase(),
        };
        (headers, phase, immutable)
    }

    /// Whether the file never changes: as the rule says, else as its `Cache-Control` says, else by its kind.
    fn is_immutable(&self, kind: Kind) -> bool {
        match (&self.immutable, &self.cache_control) {
            (Some(immutable), _) => *immutable,
            (None, Some(Set::To(value))) => value::has_directive(value, "immutable"),
            (None, Some(Set::Nothing)) => false,
            (None, None) => kind == Kind::Hashed,
        }
    }
}

impl Set {
    fn value(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::To(value) => Some(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests;

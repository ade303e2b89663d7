//! What an invalidation has to take away: paths, and beginnings of paths.

use super::{Name, name};

/// A path, or all paths that begin like this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// As CloudFront writes it, without a wildcard.
    pub(super) text: Box<str>,
    /// Whether it is the path alone. Beginnings sort first.
    pub(super) exact: bool,
}

impl Need {
    /// A path alone.
    pub(super) fn exact(text: String) -> Self {
        Self {
            text: text.into_boxed_str(),
            exact: true,
        }
    }

    /// All paths that begin like this.
    pub(super) fn beginning(text: String) -> Self {
        Self {
            text: text.into_boxed_str(),
            exact: false,
        }
    }

    /// As an item of an invalidation.
    pub(super) fn item(self) -> String {
        let mut item = String::from(self.text);
        if !self.exact {
            item.push('*');
        }
        item
    }
}

/// What takes a path away, with its query strings where they count.
pub(super) fn of(path: &str, query_strings: bool, needs: &mut Vec<Need>) {
    match name(path) {
        Name::Beginning(text) => needs.push(Need::beginning(text)),
        // `/d/*` and `/d*` would take away the whole folder; `/d/?*` is the folder's page alone.
        Name::Exact(text) if query_strings && is_folder(&text) => {
            needs.push(Need::beginning(format!("{text}?")));
            needs.push(Need::exact(text));
        }
        Name::Exact(text) if query_strings && text.len() < super::encoding::LONGEST => {
            needs.push(Need::beginning(text));
        }
        // It has the longest length there is, so there is no room for the wildcard behind it.
        Name::Exact(mut text) if query_strings => {
            text.truncate(super::encoding::whole(&text, super::encoding::LONGEST - 1));
            needs.push(Need::beginning(text));
        }
        Name::Exact(text) => needs.push(Need::exact(text)),
    }
}

/// Whether a path looks like a folder's: a slash at its end, or no extension.
fn is_folder(path: &str) -> bool {
    !path.rsplit('/').next().unwrap_or_default().contains('.') && path.len() < super::encoding::LONGEST - 1
}

/// The same without those that others take away too, sorted.
pub(super) fn fewest(mut needs: Vec<Need>) -> Vec<Need> {
    needs.sort_unstable();
    // What begins alike stands side by side, the beginning before all of it.
    needs.dedup_by(|need, kept| need == kept || (!kept.exact && need.text.starts_with(&*kept.text)));
    needs
}

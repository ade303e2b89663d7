//! The engine behind expressions: Handlebars with what it may do here, each text read once.
//!
//! Partials are refused: there are none to include, and one that includes itself would not end.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use handlebars::template::TemplateElement;
use handlebars::{
    Context, Handlebars, RenderContext, RenderErrorReason, Renderable as _, Template, TemplateErrorReason,
};
use jiff::Timestamp;

use super::backslashes;
use super::date::DateHelper;
use super::value::ValueHelper;
use crate::error::{Error, Input, shown};
use crate::mode::Mode;

/// Blocks and subexpressions within each other at most. The engine reads them by recursion.
const DEEPEST: usize = 50;

/// The values that are functions in docker/metadata-action.
const FUNCTIONS: [&str; 6] = [
    "branch",
    "tag",
    "sha",
    "base_ref",
    "is_default_branch",
    "is_not_default_branch",
];

/// Fills in expressions from values.
pub(super) struct Engine {
    with_dates: Handlebars<'static>,
    without_dates: Handlebars<'static>,
    /// Rules are asked about many builds, so that their texts come again.
    read: RefCell<HashMap<String, Rc<Template>>>,
    unknown_zones: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    pub(super) fn new(now: Timestamp, commit_date: Timestamp, mode: Mode) -> Self {
        let unknown_zones = Arc::new(Mutex::new(Vec::new()));
        let date = |at| DateHelper {
            at,
            unknown_zones: Arc::clone(&unknown_zones),
        };
        let mut with_dates = bare();
        with_dates.register_helper("date", Box::new(date(now)));
        with_dates.register_helper("commit_date", Box::new(date(commit_date)));
        for name in FUNCTIONS {
            with_dates.register_helper(name, Box::new(ValueHelper(name)));
        }
        // In native mode a misspelt name is an error instead of empty text.
        with_dates.set_strict_mode(mode.is_native());
        Self {
            with_dates,
            without_dates: bare(),
            read: RefCell::default(),
            unknown_zones,
        }
    }

    /// Fills in values and dates.
    pub(super) fn with_dates(&self, input: Input, text: &str, values: &Context) -> Result<String, Error> {
        self.render(&self.with_dates, input, text, values)
    }

    /// Fills in values alone.
    pub(super) fn without_dates(&self, input: Input, text: &str, values: &Context) -> Result<String, Error> {
        self.render(&self.without_dates, input, text, values)
    }

    pub(super) fn unknown_zones(&self) -> Vec<String> {
        self.unknown_zones
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn render(
        &self,
        engine: &Handlebars<'static>,
        input: Input,
        text: &str,
        values: &Context,
    ) -> Result<String, Error> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let failed = |problem: String| Error::Expression {
            input,
            text: shown(text),
            problem: problem.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let known = self.read.borrow().get(text).cloned();
        let template = match known {
            Some(template) => template,
            None => {
                let template = Rc::new(read(text).map_err(failed)?);
                let text = text.to_owned();
                self.read.borrow_mut().insert(text, Rc::clone(&template));
                template
            }
        };
        template
            .renders(engine, values, &mut RenderContext::new(None))
            .map_err(|error| failed(unrenderable(error.reason())))
    }
}

/// The pattern that counts: what only comes before or after a release ignores it and gives its whole version, so that it
/// never moves `1.2`; `{{raw}}` alone is kept.
pub(crate) fn in_force(pattern: &str, is_release: bool) -> &str {
    if is_release || is_raw(pattern) {
        pattern
    } else {
        "{{version}}"
    }
}

/// Whether a pattern is the one expression `{{raw}}` and nothing else.
fn is_raw(pattern: &str) -> bool {
    if !pattern.contains("raw") || depth(pattern) > 0 {
        return false;
    }
    let Ok(template) = Template::compile(pattern) else {
        return false;
    };
    match &template.elements[..] {
        [TemplateElement::Expression(only) | TemplateElement::HtmlExpression(only)] => {
            only.params.is_empty() && only.name.as_name() == Some("raw")
        }
        _ => false,
    }
}

fn bare() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.register_escape_fn(handlebars::no_escape);
    // A helper of this engine alone; here it is the version as it was given.
    engine.unregister_helper("raw");
    engine
}

/// Reads a text, or says in one line what is wrong with it.
fn read(text: &str) -> Result<Template, String> {
    if depth(text) > DEEPEST {
        return Err(format!(
            "more than {DEEPEST} blocks or parentheses within each other"
        ));
    }
    let template = Template::compile(&backslashes::doubled(text))
        .map_err(|error| unreadable(error.reason(), error.pos()))?;
    if has_partials(&template) {
        return Err("partials (`{{>`, `{{*`) are not supported".to_owned());
    }
    Ok(template)
}

fn unrenderable(reason: &RenderErrorReason) -> String {
    match reason {
        RenderErrorReason::MissingVariable(Some(name)) => format!("there is no `{name}`"),
        RenderErrorReason::HelperNotFound(name) => format!("there is no function `{name}`"),
        reason => reason.to_string(),
    }
}

/// The engine's own text for syntax errors is a list of its grammar's rules.
fn unreadable(reason: &TemplateErrorReason, position: Option<(usize, usize)>) -> String {
    match (reason, position) {
        (TemplateErrorReason::InvalidSyntax(_), Some((line, column))) => {
            format!("it can't be read at line {line}, column {column}")
        }
        (TemplateErrorReason::InvalidSyntax(_), None) => "it can't be read".to_owned(),
        (reason, _) => reason.to_string(),
    }
}

/// An upper bound of how deep blocks and parentheses nest.
fn depth(text: &str) -> usize {
    let (mut blocks, mut deepest) = (0_usize, 0_usize);
    for tag in text.split("{{").skip(1) {
        let tag = tag.split("}}").next().unwrap_or(tag);
        let head = tag.trim_start_matches(|c: char| c == '~' || c == '{' || c.is_whitespace());
        blocks += usize::from(head.starts_with(['#', '^']) || head.starts_with("else"));
        let mut open = 0_usize;
        for c in tag.chars() {
            match c {
                '(' | '[' => open += 1,
                ')' | ']' => open = open.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(open);
        }
    }
    blocks.max(deepest)
}

fn has_partials(template: &Template) -> bool {
    template.elements.iter().any(|element| match element {
        TemplateElement::HelperBlock(block) => block.template.iter().chain(&block.inverse).any(has_partials),
        TemplateElement::RawString(_)
        | TemplateElement::HtmlExpression(_)
        | TemplateElement::Expression(_)
        | TemplateElement::Comment(_) => false,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_alone() {
        for (pattern, expected) in [
            ("{{raw}}", true),
            ("{{ raw }}", true),
            ("{{{raw}}}", true),
            ("{{raw}}-x", false),
            ("{{version}}", false),
            ("raw", false),
            ("{{raw", false),
        ] {
            assert_eq!(is_raw(pattern), expected, "{pattern}");
        }
    }
}

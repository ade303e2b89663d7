//! The values of the event as functions, which is what they are in docker/metadata-action: arguments are ignored
//! (`{{branch 'x'}}`), they can be called (`{{#if (is_default_branch)}}`), and as a block they have their text inside
//! (`{{#branch}}{{this}}{{/branch}}`).

use handlebars::{
    BlockContext, Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    Renderable as _, ScopedJson,
};
use serde_json::Value;

/// A value that can be called.
pub(super) struct ValueHelper(pub(super) String);

impl HelperDef for ValueHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        Ok(ScopedJson::Derived(Value::String(self.0.clone())))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        engine: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render_context: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let Some(template) = helper.template() else {
            return Ok(out.write(&self.0)?);
        };
        let mut block = BlockContext::new();
        block.set_base_value(Value::String(self.0.clone()));
        render_context.push_block(block);
        let rendered = template.render(engine, context, render_context, out);
        render_context.pop_block();
        rendered
    }
}

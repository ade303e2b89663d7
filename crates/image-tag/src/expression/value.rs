//! The values of the event as functions, which is what they are in docker/metadata-action: arguments are ignored
//! (`{{branch 'x'}}`), they can be called (`{{#if (is_default_branch)}}`), and as a block they have their text inside
//! (`{{#branch}}{{this}}{{/branch}}`).

use handlebars::{
    BlockContext, Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    Renderable as _, ScopedJson,
};
use serde_json::Value;

/// The value of this name, which can be called.
pub(super) struct ValueHelper(pub(super) &'static str);

impl ValueHelper {
    fn value(&self, context: &Context) -> Value {
        context.data().get(self.0).cloned().unwrap_or(Value::Null)
    }
}

impl HelperDef for ValueHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        Ok(ScopedJson::Derived(self.value(context)))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        engine: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render_context: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = self.value(context);
        let Some(template) = helper.template() else {
            return Ok(out.write(value.as_str().unwrap_or_default())?);
        };
        let mut block = BlockContext::new();
        block.set_base_value(value);
        render_context.push_block(block);
        let rendered = template.render(engine, context, render_context, out);
        render_context.pop_block();
        rendered
    }
}

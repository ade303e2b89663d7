// Judges a message to a Discord webhook by schemas made from Discord's own description: https://docs.discord.com/developers/resources/webhook#execute-webhook
// It reads the message as JSON from the file that is named, and prints what is wrong, one fault a line; `good` where nothing is. NODE_PATH names the folder with the modules.
const { existsSync, readFileSync } = require("fs");
const z = require("zod/mini");

// The package's own setStrictObject comes too late, as its schemas are built on import; so its text is read with that choice made.
const file = require.resolve.paths("discord-api-spec").map((folder) => `${folder}/discord-api-spec/build/discord-api-spec.zod.js`).find(existsSync);
const code = readFileSync(file, "utf8")
  .replace('import * as z from "zod/mini";', "")
  .replace("let zObject = z.object;", "let zObject = z.strictObject;")
  .replace(/^export const (\w+)/gm, "const $1 = exports.$1");
const schemas = {};
new Function("z", "exports", code)(z, schemas);
const schema = schemas.IncomingWebhookRequestPartialSchema;
if (schema.safeParse({ embeds: [{ bogus: 1 }] }).success) throw new Error("the schemas are not strict");
z.config(z.locales.en());

const message = JSON.parse(readFileSync(process.argv[2], "utf8"));
const faults = [];
function tell(issues, at) {
  for (const { path, message, errors } of issues) {
    faults.push(`${[...at, ...path].join(".") || "message"}: ${message}`);
    if (errors?.length) tell(errors.reduce((a, b) => (a.length <= b.length ? a : b)), [...at, ...path]);
  }
}
const result = schema.safeParse(message);
if (!result.success) tell(result.error.issues, []);

// What the description leaves to prose: https://docs.discord.com/developers/resources/message#embed-object-embed-limits
let sum = 0;
for (const embed of (result.success && message.embeds) || []) {
  const fields = embed.fields ?? [];
  const texts = [embed.title, embed.description, embed.footer?.text, embed.author?.name, ...fields.flatMap(({ name, value }) => [name, value])];
  for (const text of texts) sum += text?.length ?? 0;
  fields.forEach(({ name, value }, at) => (!name?.trim() || !value?.trim()) && faults.push(`embed with an empty field: ${at}`));
}
if (sum > 6000) faults.push(`${sum} characters in the embeds, more than 6000`);
if (!["content", "embeds", "components", "poll"].some((key) => message?.[key]?.length || (key === "poll" && message?.poll))) faults.push("an empty message");
const mentions = message?.allowed_mentions;
if (!Array.isArray(mentions?.parse) || mentions.parse.length) faults.push(`allowed_mentions.parse is no empty array: ${JSON.stringify(mentions?.parse)}`);
console.log(faults.length ? faults.join("\n") : "good");

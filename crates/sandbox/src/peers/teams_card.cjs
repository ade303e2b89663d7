// Judges a message of Microsoft Teams by Adaptive Cards' own parser at version 1.4, which Teams shows: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
// It reads the message (with or without its envelope) as JSON from the file that is named, and prints what is wrong, one fault a line; `good` where nothing is. NODE_PATH names the folder with the modules.
const AC = require("adaptivecards/dist/adaptivecards.js"); // the package's main entry is a module that Node 20 refuses

const REQUIRED = { TextBlock: ["text"], TextRun: ["text"], RichTextBlock: ["inlines"], FactSet: ["facts"], Image: ["url"], ImageSet: ["images"], Container: ["items"], ColumnSet: ["columns"], ActionSet: ["actions"] };
const faults = [];

// The parser passes over what it does not know, so what it never asked for is noted here.
const asked = new Map();
function watched(value) {
  if (typeof value !== "object" || value === null) return value;
  const keys = asked.get(value) ?? new Set();
  asked.set(value, keys);
  return new Proxy(value, {
    get: (target, key) => (keys.add(key), watched(target[key])),
    getOwnPropertyDescriptor: (target, key) => (keys.add(key), Reflect.getOwnPropertyDescriptor(target, key)),
  });
}
// It also drops a value of the wrong type without a word.
for (const [property, type] of [["StringProperty", "string"], ["BoolProperty", "boolean"], ["NumProperty", "number"]]) {
  const parse = AC[property].prototype.parse;
  AC[property].prototype.parse = function (sender, source, context) {
    const value = source[this.name];
    if (typeof value !== type) faults.push(`${source.type}.${this.name} is no ${type}: ${JSON.stringify(value)}`);
    return parse.call(this, sender, source, context);
  };
}

const message = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"), (key, value) => {
  if (value === null && key !== "contentUrl") faults.push(`null at ${key}`);
  return value;
});
const bytes = Buffer.byteLength(JSON.stringify(message));
if (bytes > 28 * 1024) faults.push(`${bytes} bytes, more than 28 KiB`);
let card = message;
if (message?.attachments !== undefined || message?.type === "message") {
  const { type, attachments, ...rest } = message;
  const { contentType, contentUrl = null, content, ...other } = attachments?.[0] ?? {};
  if (type !== "message") faults.push(`type of the envelope: ${type}`);
  if (attachments?.length !== 1) faults.push(`${attachments?.length} attachments`);
  if (contentType !== "application/vnd.microsoft.card.adaptive") faults.push(`contentType: ${contentType}`);
  if (contentUrl !== null) faults.push(`contentUrl: ${contentUrl}`);
  for (const key of Object.keys({ ...rest, ...other })) faults.push(`unknown property of the envelope: ${key}`);
  card = content ?? {};
}
if (card.type !== "AdaptiveCard") faults.push(`type of the card: ${card.type}`);
if (card.version !== "1.4") faults.push(`version of the card: ${card.version}`);
for (const key of ["@type", "@context", "themeColor", "sections", "potentialAction"]) if (key in card) faults.push(`a MessageCard's property: ${key}`);
if (!card.body?.length) faults.push("no body");

const context = new AC.SerializationContext(AC.Versions.v1_4);
context.onParseElement = (element, source) => (REQUIRED[source.type] ?? []).filter((key) => !source[key]?.length).forEach((key) => faults.push(`${source.type} without ${key}`));
const parsed = new AC.AdaptiveCard();
parsed.hostConfig = new AC.HostConfig({ actions: { maxActions: 6 } });
parsed.parse(watched(card), context);
for (let i = 0; i < context.eventCount; i++) faults.push(context.getEventAt(i).message);
for (const event of parsed.validateProperties().validationEvents) faults.push(event.message);
for (const [object, keys] of asked) if (keys.size && !Array.isArray(object)) for (const key of Object.keys(object)) if (!keys.has(key) && key !== "fallback" && !(object === card && key === "msteams")) faults.push(`unknown property of ${object.type ?? "an object"}: ${key}`);
console.log(faults.length ? faults.join("\n") : "good");

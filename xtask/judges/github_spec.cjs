// Cuts GitHub's description of its REST API down to the calls that are judged, so that Prism starts fast: https://github.com/octokit/openapi and https://docs.github.com/rest
// It reads the description from the first file that is named, and writes the part to the second. It adds the vendor's media types, as GitHub answers them but the description leaves them out.
const { readFileSync, writeFileSync } = require("fs");

const CALLS = {
  "/user": ["get"],
  "/repos/{owner}/{repo}": ["get"],
  "/repos/{owner}/{repo}/commits/{ref}/statuses": ["get"],
  "/repos/{owner}/{repo}/statuses/{sha}": ["post"],
  "/repos/{owner}/{repo}/issues/{issue_number}": ["get"],
  "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
  "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch", "delete"],
  "/repos/{owner}/{repo}/deployments": ["get", "post"],
  "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses": ["get", "post"],
  "/repos/{owner}/{repo}/releases/tags/{tag}": ["get"],
  "/repos/{owner}/{repo}/releases/{release_id}": ["patch"],
};
const VENDOR = ["application/vnd.github+json", "application/vnd.github.v3+json"];

const whole = JSON.parse(readFileSync(process.argv[2], "utf8"));
const part = { openapi: whole.openapi, info: whole.info, servers: whole.servers, paths: {}, components: {} };

// Takes over what is referred to, and what that refers to.
function follow(value) {
  if (typeof value !== "object" || value === null) return;
  if (typeof value.$ref === "string") {
    const [, , kind, name] = value.$ref.split("/");
    const found = whole.components[kind]?.[name];
    if (found === undefined) throw new Error(`nothing at ${value.$ref}`);
    const kept = (part.components[kind] ??= {});
    if (!(name in kept)) follow((kept[name] = found));
  }
  Object.values(value).forEach(follow);
}
for (const [path, methods] of Object.entries(CALLS)) {
  part.paths[path] = {};
  for (const method of methods) {
    const call = whole.paths[path]?.[method];
    if (call === undefined) throw new Error(`no ${method} ${path}`);
    if (JSON.stringify(call.requestBody ?? {}).includes("#/components/schemas/")) throw new Error(`the body of ${method} ${path} would be judged too mildly`);
    follow((part.paths[path][method] = call));
  }
}
const calls = Object.values(part.paths).flatMap((path) => Object.values(path));
const answers = [...calls.flatMap((call) => Object.values(call.responses)), ...Object.values(part.components.responses ?? {})];
for (const { content } of answers) {
  if (content?.["application/json"]) for (const type of VENDOR) content[type] ??= content["application/json"];
}
// GitHub's examples lack some properties that its schemas of answers require, and Prism would refuse its own answer.
const mild = (key, value) => (key === "required" && Array.isArray(value) ? undefined : value);
part.components.schemas = JSON.parse(JSON.stringify(part.components.schemas), mild);
writeFileSync(process.argv[3], JSON.stringify(part));

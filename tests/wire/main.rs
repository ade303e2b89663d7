//! The built programs on the wire: real processes against servers, proxies and receivers on loopback, with real
//! signals and real files. One file is one subject.
//!
//! Every wait is for a condition and has a deadline; durations that a test hands to a program are short and real.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod commands;
mod process;
mod step;

mod ecs_deploy;
mod ecs_deploy_access;
mod ecs_deploy_cancel;
mod ecs_deploy_weighted;
mod gate_addresses;
mod gate_answers;
mod gate_cancel;
mod gate_checks;
mod gate_faults;
mod gate_files;
mod gate_foreign_text;
mod gate_hostile;
mod gate_pace;
mod gate_proxies;
mod gate_results;
mod gate_rubbish;
mod gate_secrets;
mod gate_sources;
mod gate_tls;
mod gate_watch;
mod image_tag;
mod k8s_access;
mod k8s_cancel;
mod k8s_deploy;
mod k8s_judged;
mod k8s_preview;
mod ledger;
mod notify_delivery;
mod notify_deploys;
mod notify_github;
mod notify_github_faults;
mod notify_message;
mod notify_routes;
mod notify_secrets;
mod notify_services;
mod notify_slack;
mod notify_wrap;
mod pipes;
mod runner_files;
mod s3_publish;
mod s3_publish_access;
mod s3_publish_cancel;
mod signals;
mod trace;

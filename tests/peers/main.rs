//! The built programs against real servers: nginx, PostgreSQL, Redis, Prometheus, a gRPC server, and the blackbox exporter as
//! another judge. What `notify` sends before the judges of those who read it. And the stand-ins of AWS before Amazon's own command line, that of Kubernetes and its tool before `kubectl`. A file is
//! about one server; it is left out by its name where the server can't be had.
//!
//! A server's own client says first what the server is like, so that no test passes because its server is another one
//! than it says.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod court;
mod gate;
mod name_server;
mod rendered;
mod sides;

mod with_adaptive_cards;
mod with_aiosmtpd;
mod with_aws;
mod with_aws_cli;
mod with_aws_ecs;
mod with_aws_elb;
mod with_blackbox;
mod with_discord_schema;
mod with_grpc;
mod with_kubectl;
mod with_kubectl_tool;
mod with_moto;
mod with_moto_site;
mod with_moto_tool;
mod with_nginx;
mod with_nginx_tls;
mod with_postgres;
mod with_prism;
mod with_prometheus;
mod with_prometheus_compare;
mod with_redis;
mod with_redis_tls;
mod with_s3;
mod with_slack_sdk;

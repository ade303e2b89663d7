//! Services that a deploy talks to, made of the scripted server: each keeps the state its story needs.

pub mod aws;
pub mod chat;
pub mod github;
pub mod kubernetes;
pub mod slack;
pub mod web;

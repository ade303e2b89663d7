//! Channels: the places a message goes to. One kind is one file, and each is pure: it makes what is sent and judges
//! what is answered.

use serde_json::Value;

use crate::delivery::Answer;
use crate::message::Message;

pub mod slack;
pub mod summary;
pub mod webhook;

/// A receiver of JSON over HTTP.
pub trait Channel {
    /// Its name in the log and in the results.
    fn name(&self) -> &'static str;

    /// What is posted. Texts of the message are inert in it.
    fn payload(&self, message: &Message) -> Value;

    /// Headers beside `content-type`.
    fn headers(&self) -> Vec<(&'static str, String)>;

    /// Whether the receiver knows a repeated message by its id.
    fn repeatable(&self) -> bool;

    /// Whether a successful answer means that the message arrived.
    fn accepted(&self, answer: &Answer) -> bool;
}

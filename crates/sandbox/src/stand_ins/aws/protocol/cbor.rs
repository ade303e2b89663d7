//! [RPC v2 CBOR](https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html), as CloudWatch speaks it.
//!
//! Values of JSON have no times; a member named as one (`Timestamp`, `Timestamps`, …) is written with CBOR's tag for them.

use minicbor::data::{IanaTag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Value, json};

use super::{Asked, Wire, unreadable};
use crate::http::{Reply, Request};
use crate::stand_ins::aws::call::Refusal;

const TYPE: &str = "application/cbor";

/// No input of CloudWatch is as deep; without a bound a body could exhaust the stack.
const DEEPEST: usize = 64;

type Failure = minicbor::decode::Error;

pub(super) fn decode(request: &Request) -> Result<Asked, Refusal> {
    let path = request.path_only();
    let operation = path
        .strip_prefix("/service/GraniteServiceVersion20100801/operation/")
        .ok_or_else(|| Refusal::new("UnknownOperationException", path).status(404))?;
    if let Some(encoding) = request.header("content-encoding") {
        return Err(unreadable(format!("the stand-in does not read `{encoding}`")));
    }
    let input = match request.body.is_empty() {
        true => json!({}),
        false => read(&mut Decoder::new(&request.body), 0).map_err(unreadable)?,
    };
    Ok(Asked {
        service: "cloudwatch",
        operation: operation.to_owned(),
        input,
        wire: Wire::Cbor,
    })
}

pub(super) fn output(output: &Value) -> Reply {
    respond(200, output)
}

pub(super) fn error(refusal: &Refusal) -> Reply {
    let fault = if refusal.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    // CloudWatch once spoke the query format, and clients of then may look for its codes:
    // https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
    respond(
        refusal.status,
        &json!({ "__type": refusal.code, "message": refusal.message }),
    )
    .header("x-amzn-query-error", &format!("{};{fault}", refusal.code))
}

fn respond(status: u16, value: &Value) -> Reply {
    let mut encoder = Encoder::new(Vec::new());
    // Nothing can fail in memory.
    let _ = write(&mut encoder, "", value);
    Reply::bytes(status, encoder.into_writer())
        .header("content-type", TYPE)
        .header("smithy-protocol", "rpc-v2-cbor")
}

fn read(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, Failure> {
    if depth > DEEPEST {
        return Err(Failure::message("too deep"));
    }
    match decoder.datatype()? {
        Type::Null | Type::Undefined => decoder.skip().map(|()| Value::Null),
        Type::Bool => decoder.bool().map(Value::from),
        Type::F16 | Type::F32 | Type::F64 => decoder.f64().map(Value::from),
        Type::String | Type::StringIndef => text(decoder).map(Value::from),
        Type::Tag => {
            decoder.tag()?;
            read(decoder, depth + 1)
        }
        Type::Array | Type::ArrayIndef => {
            let length = decoder.array()?;
            let mut items = Vec::new();
            while more(decoder, length, items.len())? {
                items.push(read(decoder, depth + 1)?);
            }
            Ok(Value::Array(items))
        }
        Type::Map | Type::MapIndef => {
            let length = decoder.map()?;
            let (mut members, mut count) = (Map::new(), 0);
            while more(decoder, length, count)? {
                let name = text(decoder)?;
                members.insert(name, read(decoder, depth + 1)?);
                count += 1;
            }
            Ok(Value::Object(members))
        }
        _ => {
            let number = i128::from(decoder.int()?);
            Ok(i64::try_from(number).map_or_else(
                |_| Value::from(u64::try_from(number).unwrap_or_default()),
                Value::from,
            ))
        }
    }
}

/// Whether another item comes; an end mark is taken off.
fn more(decoder: &mut Decoder<'_>, length: Option<u64>, read: usize) -> Result<bool, Failure> {
    if let Some(length) = length {
        return Ok((read as u64) < length);
    }
    let ends = decoder.datatype()? == Type::Break;
    if ends {
        decoder.skip()?;
    }
    Ok(!ends)
}

fn text(decoder: &mut Decoder<'_>) -> Result<String, Failure> {
    decoder.str_iter()?.collect()
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(encoder: &mut Encoder<Vec<u8>>, name: &str, value: &Value) -> Written {
    match value {
        Value::Null => encoder.null()?,
        Value::Bool(is) => encoder.bool(*is)?,
        Value::Number(number) => {
            let time = is_time(name);
            if time {
                encoder.tag(IanaTag::Timestamp)?;
            }
            match number.as_i64() {
                Some(whole) => encoder.i64(whole)?,
                None => encoder.f64(number.as_f64().unwrap_or(f64::NAN))?,
            }
        }
        Value::String(text) => encoder.str(text)?,
        Value::Array(items) => {
            encoder.array(items.len() as u64)?;
            for item in items {
                write(encoder, name, item)?;
            }
            encoder
        }
        Value::Object(members) => {
            let given = members.iter().filter(|(_, value)| !value.is_null());
            encoder.map(given.clone().count() as u64)?;
            for (name, value) in given {
                encoder.str(name)?;
                write(encoder, name, value)?;
            }
            encoder
        }
    };
    Ok(())
}

/// Whether the model's member of that name is a time: of CloudWatch, all and only these.
fn is_time(name: &str) -> bool {
    name.ends_with("Timestamp") || name == "Timestamps" || name == "StartTime" || name == "EndTime"
}

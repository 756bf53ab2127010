//! JSON values as the typed entries that extensions travel in.

use serde_json::{Map, Number, Value};

use crate::wire::{KeyValue, ValueType, key_value};

/// The entries of an extension, of a command's parameters or of a custom message, as the web SDK would write them, but
/// for integers of more than 32 bits, which get the type that says so.
pub fn key_values(object: &Map<String, Value>) -> Vec<KeyValue> {
    object.iter().map(|(key, value)| key_value(key, value)).collect()
}

fn key_value(key: &str, value: &Value) -> KeyValue {
    let (value_type, value) = match value {
        Value::Bool(truth) => (ValueType::Bool, key_value::Value::Varint((*truth).into())),
        Value::Number(number) => number_value(number),
        Value::String(text) => (ValueType::String, key_value::Value::Text(text.clone())),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            (ValueType::JsonString, key_value::Value::Text(value.to_string()))
        }
    };
    KeyValue { key: Some(key.into()), r#type: Some(value_type.into()), value: Some(value) }
}

fn number_value(number: &Number) -> (ValueType, key_value::Value) {
    match number.as_i64() {
        Some(integer) if i32::try_from(integer).is_ok() => (ValueType::Int, key_value::Value::Varint(integer)),
        Some(integer) => (ValueType::LlInt, key_value::Value::Varint(integer)),
        None => (ValueType::Double, key_value::Value::Double(number.as_f64().unwrap_or_default())),
    }
}

/// The entries of an extension as JSON. An entry without a key, or whose value is not of its type, is left out.
pub fn values(entries: &[KeyValue]) -> Map<String, Value> {
    entries.iter().filter_map(|entry| Some((entry.key.clone()?, value(entry)?))).collect()
}

fn value(entry: &KeyValue) -> Option<Value> {
    match (ValueType::try_from(entry.r#type?).ok()?, entry.value.as_ref()?) {
        (ValueType::Bool, key_value::Value::Varint(number)) => Some((*number != 0).into()),
        (ValueType::Int | ValueType::LlInt, key_value::Value::Varint(number)) => Some((*number).into()),
        (ValueType::Uint, key_value::Value::Varint(number)) => Some(number.cast_unsigned().into()),
        (ValueType::Float, key_value::Value::Float(number)) => Some((*number).into()),
        (ValueType::Double, key_value::Value::Double(number)) => Some((*number).into()),
        (ValueType::String, key_value::Value::Text(text)) => Some(text.clone().into()),
        (ValueType::JsonString, key_value::Value::Text(text)) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

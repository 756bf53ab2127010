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

//! Values of the seam on the wire: what a parameter's or a column's type was found to be decides how it is written.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::value::{Arg, Value};

type Fault = Box<dyn Error + Sync + Send>;

impl ToSql for Arg<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match (*self, kind) {
            (Arg::Null, _) => Ok(IsNull::Yes),
            (Arg::Int(number), &Type::INT8) => number.to_sql(kind, out),
            // What a statement compares with a bare number.
            (Arg::Int(number), &Type::INT4) => i32::try_from(number)?.to_sql(kind, out),
            (Arg::Bool(truth), &Type::BOOL) => truth.to_sql(kind, out),
            (Arg::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME) => text.to_sql(kind, out),
            (Arg::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            // The value itself is nobody's business.
            (Arg::Int(_), _) => Err(format!("an integer was given for a parameter of type {kind}").into()),
            (Arg::Bool(_), _) => Err(format!("a boolean was given for a parameter of type {kind}").into()),
            (Arg::Text(_), _) => Err(format!("a text was given for a parameter of type {kind}").into()),
            (Arg::Bytes(_), _) => Err(format!("bytes were given for a parameter of type {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(kind, raw)?.into()),
            Type::BOOL => Self::Bool(bool::from_sql(kind, raw)?),
            Type::BYTEA => Self::Bytes(raw.into()),
            Type::TEXT | Type::VARCHAR | Type::NAME => Self::Text(String::from_sql(kind, raw)?),
            _ => return Err(format!("a column has the type {kind}, which no statement of ours asks for").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

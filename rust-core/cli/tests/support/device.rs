//! Traces as devices in the field report them: with few columns.

use std::fs;
use std::sync::Arc;

use parquet::basic::{Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::Value;

/// What a trace says about itself.
pub fn metadata(path: &str) -> Value {
    let file = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let pairs = file.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let json = pairs.into_iter().find(|pair| pair.key == "biglittle.trace").unwrap().value.unwrap();
    serde_json::from_str(&json).unwrap()
}

/// A row as a device in the field would report it.
#[derive(Clone)]
pub struct Row {
    pub split: &'static str,
    pub models: String,
    pub label: Option<i32>,
    pub answers: [i32; 2],
    pub margin: Option<f32>,
    /// What little and big took; in all rows or in none.
    pub cpu_ns: Option<[i64; 2]>,
}

/// Writes `rows` under the metadata `meta`, without the columns in `left_out`.
pub fn write(path: &str, meta: &Value, rows: &[Row], left_out: &[&str]) {
    let column = |name: &str, physical, repetition| {
        Arc::new(
            Type::primitive_type_builder(name, physical)
                .with_repetition(repetition)
                .build()
                .unwrap(),
        )
    };
    let group = |name: &str, fields: Vec<Arc<Type>>| {
        let group = Type::group_type_builder(name).with_repetition(Repetition::REQUIRED);
        Arc::new(group.with_fields(fields).build().unwrap())
    };
    let (required, optional) = (Repetition::REQUIRED, Repetition::OPTIONAL);
    let has_costs = rows.iter().all(|row| row.cpu_ns.is_some());
    let level = |name: &str| {
        let mut fields = vec![column("answer", Physical::INT32, required)];
        if !left_out.contains(&"margin") {
            fields.push(column("margin", Physical::FLOAT, optional));
        }
        if has_costs {
            let costs = ["macs", "cpu_ns", "wall_ns"];
            fields.extend(costs.map(|name| column(name, Physical::INT64, required)));
        }
        group(name, fields)
    };
    let mut fields = vec![
        column("split", Physical::BYTE_ARRAY, required),
        column("models_sha256", Physical::BYTE_ARRAY, required),
    ];
    if !left_out.contains(&"label") {
        fields.push(column("label", Physical::INT32, optional));
    }
    fields.push(group("levels", vec![level("little"), level("big")]));
    if has_costs {
        let network = |name: &str| {
            let times = ["cpu_ns", "wall_ns"];
            group(name, times.map(|time| column(time, Physical::INT64, required)).into())
        };
        fields.push(group("networks", vec![network("little"), network("big")]));
    }
    let schema = Arc::new(Type::group_type_builder("rows").with_fields(fields).build().unwrap());
    let pair = KeyValue::new("biglittle.trace".to_owned(), meta.to_string());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![pair])).build();
    let file = fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut out = writer.next_row_group().unwrap();
    macro_rules! put {
        ($kind:ty, $values:expr, $levels:expr) => {{
            let mut column = out.next_column().unwrap().unwrap();
            let (values, levels): (Vec<_>, Option<Vec<i16>>) = ($values, $levels);
            column.typed::<$kind>().write_batch(&values, levels.as_deref(), None).unwrap();
            column.close().unwrap();
        }};
    }
    put!(ByteArrayType, rows.iter().map(|row| ByteArray::from(row.split)).collect(), None);
    put!(ByteArrayType, rows.iter().map(|row| ByteArray::from(&*row.models)).collect(), None);
    if !left_out.contains(&"label") {
        let there = rows.iter().map(|row| i16::from(row.label.is_some())).collect();
        put!(Int32Type, rows.iter().filter_map(|row| row.label).collect(), Some(there));
    }
    for level in 0..2 {
        put!(Int32Type, rows.iter().map(|row| row.answers[level]).collect(), None);
        if !left_out.contains(&"margin") {
            let there = rows.iter().map(|row| i16::from(row.margin.is_some())).collect();
            put!(FloatType, rows.iter().filter_map(|row| row.margin).collect(), Some(there));
        }
        if has_costs {
            put!(Int64Type, vec![1_000; rows.len()], None);
            for _ in ["cpu_ns", "wall_ns"] {
                put!(Int64Type, rows.iter().map(|row| row.cpu_ns.unwrap()[level]).collect(), None);
            }
        }
    }
    if has_costs {
        for level in [0, 0, 1, 1] {
            put!(Int64Type, rows.iter().map(|row| row.cpu_ns.unwrap()[level]).collect(), None);
        }
    }
    out.close().unwrap();
    writer.close().unwrap();
}

/// 1,000 rows, every tenth of them bad, with scores that rise from row to row.
pub fn rows(meta: &Value) -> Vec<Row> {
    let models = meta["models_sha256"].as_str().unwrap().to_owned();
    let row = |index: usize| Row {
        split: "calibrate",
        models: models.clone(),
        label: Some(3),
        answers: [if index.is_multiple_of(10) { 4 } else { 3 }, 3],
        margin: Some(index as f32 / 1_000.0),
        cpu_ns: None,
    };
    (0..1_000).map(row).collect()
}

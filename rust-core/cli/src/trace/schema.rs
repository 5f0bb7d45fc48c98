//! The columns of a trace, in the order of the file.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::block::SCORES;
use super::meta::{META_KEY, TraceMeta};

pub const SAMPLE: &str = "sample";
pub const IMAGE_SHA256: &str = "image_sha256";
pub const GROUP: &str = "group";
pub const LABEL: &str = "label";
pub const SPLIT: &str = "split";
pub const MODELS_SHA256: &str = "models_sha256";
pub const LEVELS: &str = "levels";
pub const ANSWER: &str = "answer";
pub const FLAW: &str = "flaw";
pub const MACS: &str = "macs";
pub const CPU_NS: &str = "cpu_ns";
pub const WALL_NS: &str = "wall_ns";
pub const NETWORKS: &str = "networks";
pub const OUTPUTS: &str = "outputs";

const ROOT: &str = "biglittle_trace";

/// The path of a level's column.
pub fn level_column(level: &str, column: &str) -> Vec<String> {
    [LEVELS, level, column].map(str::to_owned).into()
}

/// The path of a network's column.
pub fn network_column(network: &str, column: &str) -> Vec<String> {
    [NETWORKS, network, column].map(str::to_owned).into()
}

/// The path of the values of a network's outputs, as every writer of lists
/// calls them.
pub fn outputs_column(network: &str) -> Vec<String> {
    [NETWORKS, network, OUTPUTS, "list", "element"].map(str::to_owned).into()
}

/// The Parquet schema of a trace.
pub fn schema(meta: &TraceMeta) -> Result<TypePtr> {
    let (required, optional) = (Repetition::REQUIRED, Repetition::OPTIONAL);
    let mut fields = vec![
        text(SAMPLE, required)?,
        text(IMAGE_SHA256, required)?,
        text(GROUP, optional)?,
        number(LABEL, Physical::INT32, optional)?,
        text(SPLIT, required)?,
        text(MODELS_SHA256, required)?,
    ];
    let level = |name: &String| {
        let mut fields = vec![number(ANSWER, Physical::INT32, optional)?, text(FLAW, optional)?];
        for score in SCORES {
            fields.push(number(score.name(), Physical::FLOAT, optional)?);
        }
        for time in [MACS, CPU_NS, WALL_NS] {
            fields.push(number(time, Physical::INT64, required)?);
        }
        group(name, required, fields)
    };
    let levels = meta.manifest.levels.iter().map(|spec| level(&spec.name));
    fields.push(group(LEVELS, required, levels.collect::<Result<_>>()?)?);
    let network = |id: &String| {
        let mut fields = Vec::new();
        for time in [CPU_NS, WALL_NS] {
            fields.push(number(time, Physical::INT64, required)?);
        }
        if meta.has_outputs {
            let element = number("element", Physical::FLOAT, required)?;
            let list = group("list", Repetition::REPEATED, vec![element])?;
            let outputs = Type::group_type_builder(OUTPUTS)
                .with_repetition(required)
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![list]);
            fields.push(Arc::new(outputs.build()?));
        }
        group(id, required, fields)
    };
    let networks = meta.manifest.networks.iter().map(|spec| network(&spec.id));
    fields.push(group(NETWORKS, required, networks.collect::<Result<_>>()?)?);
    Ok(Arc::new(Type::group_type_builder(ROOT).with_fields(fields).build()?))
}

/// How the columns are encoded: raw values and scores hardly repeat, so their
/// bytes are split into streams; all others have dictionaries.
pub fn properties(meta: &TraceMeta, extra: Vec<KeyValue>) -> WriterProperties {
    let mut metadata = vec![KeyValue::new(META_KEY.to_owned(), meta.to_json())];
    metadata.extend(extra);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("biglittle {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(metadata));
    let scores = meta
        .manifest
        .levels
        .iter()
        .flat_map(|level| SCORES.map(|score| level_column(&level.name, score.name())));
    let outputs = meta.manifest.networks.iter().map(|network| outputs_column(&network.id));
    for path in scores.chain(outputs) {
        let path = ColumnPath::new(path);
        properties = properties
            .set_column_encoding(path.clone(), Encoding::BYTE_STREAM_SPLIT)
            .set_column_dictionary_enabled(path, false);
    }
    properties.build()
}

fn group(name: &str, repetition: Repetition, fields: Vec<TypePtr>) -> Result<TypePtr> {
    let group = Type::group_type_builder(name).with_repetition(repetition).with_fields(fields);
    Ok(Arc::new(group.build()?))
}

fn number(name: &str, physical: Physical, repetition: Repetition) -> Result<TypePtr> {
    let column = Type::primitive_type_builder(name, physical).with_repetition(repetition);
    Ok(Arc::new(column.build()?))
}

fn text(name: &str, repetition: Repetition) -> Result<TypePtr> {
    let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
        .with_repetition(repetition)
        .with_logical_type(Some(LogicalType::String));
    Ok(Arc::new(column.build()?))
}

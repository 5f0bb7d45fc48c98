//! One column of a Parquet file that may be anybody's.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use biglittle::{EscalationReason, Result};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescPtr;
use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::invalid;

/// Reads a column's records in order, whatever its nesting.
pub struct ColumnRecords<T: DataType> {
    reader: ColumnReaderImpl<T>,
    name: String,
    levels: (i16, i16),
    definition: Vec<i16>,
    repetition: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType> ColumnRecords<T> {
    /// A reader of `column`, which must have the type of `T`.
    pub fn new(column: &ColumnDescPtr, reader: ColumnReader) -> Result<Self> {
        let name = column.path().string();
        let (found, needed) = (column.physical_type(), T::get_physical_type());
        if found != needed {
            return Err(invalid(format!(
                "its column {name} has the type {found}: it must be {needed}"
            )));
        }
        Ok(ColumnRecords {
            reader: get_typed_column_reader(reader),
            name,
            levels: (column.max_def_level(), column.max_rep_level()),
            definition: Vec::new(),
            repetition: Vec::new(),
            values: Vec::new(),
        })
    }

    /// Hands the next `rows` records to `take`, a value or null each.
    pub fn read(&mut self, rows: usize, mut take: impl FnMut(Option<&T::T>)) -> Result<()> {
        if self.levels.1 != 0 {
            return Err(invalid(format!("its column {} is a list: it must not be", self.name)));
        }
        self.fill(rows)?;
        if self.levels.0 == 0 {
            self.values.iter().for_each(|value| take(Some(value)));
            return Ok(());
        }
        let mut values = self.values.iter();
        for level in &self.definition {
            take(if *level == self.levels.0 { values.next() } else { None });
        }
        Ok(())
    }

    /// Appends the next `rows` lists, each of `width` values without a null, to
    /// `lists`.
    pub fn read_lists(&mut self, rows: usize, width: usize, lists: &mut Vec<T::T>) -> Result<()> {
        self.fill(rows)?;
        let name = &self.name;
        let starts = (0..).step_by(width.max(1)).take(rows);
        let is_regular = self.values.len() == rows * width
            && self.definition.len() == self.values.len()
            && self.repetition.iter().filter(|level| **level == 0).count() == rows
            && starts.into_iter().all(|at: usize| self.repetition.get(at) == Some(&0));
        if self.levels.1 != 1 || !is_regular {
            return Err(invalid(format!(
                "its column {name} does not have a list of {width} values in each row: record it \
                 again"
            )));
        }
        lists.append(&mut self.values);
        Ok(())
    }

    fn fill(&mut self, rows: usize) -> Result<()> {
        self.definition.clear();
        self.repetition.clear();
        self.values.clear();
        let (read, _, _) = self
            .reader
            .read_records(
                rows,
                Some(&mut self.definition),
                Some(&mut self.repetition),
                &mut self.values,
            )
            .map_err(|error| damaged(&error).context(format!("column {}", self.name)))?;
        if read == rows {
            return Ok(());
        }
        Err(invalid(format!("its column {} ends {} rows early", self.name, rows - read)))
    }
}

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Calls the decoder, which damaged files make panic now and then: that is an
/// error like any other, and prints nothing.
pub fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_GUARDED.get() {
                hook(info);
            }
        }));
    });
    IS_GUARDED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    IS_GUARDED.set(false);
    result.unwrap_or_else(|_| {
        Err(invalid("is not a whole Parquet file: its decoder gave up; record or copy it again"))
    })
}

/// The error of a file that is not what it says.
pub fn damaged(error: &ParquetError) -> biglittle::Error {
    invalid(format!("is not a whole Parquet file: {error}: record or copy it again"))
}

/// A column's text.
pub fn utf8(value: &ByteArray) -> Result<&str> {
    value.as_utf8().map_err(|_| invalid("has a text that is not UTF-8: record it again"))
}

/// The name of a reason in the file.
pub fn reason_name(reason: EscalationReason) -> &'static str {
    match reason {
        EscalationReason::LowScore => "low_score",
        EscalationReason::Tie => "tie",
        EscalationReason::UnmappedClass => "unmapped_class",
        EscalationReason::NotFinite => "not_finite",
        EscalationReason::NotProbabilities => "not_probabilities",
        EscalationReason::WrongLength => "wrong_length",
        EscalationReason::TooFewClasses => "too_few_classes",
        EscalationReason::NetworkFailed => "network_failed",
    }
}

/// The reason of that name.
pub fn reason(name: &str) -> Result<EscalationReason> {
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        name.into_deserializer();
    EscalationReason::deserialize(name)
        .map_err(|error| invalid(format!("has a flaw that is none: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_names_of_json() {
        for reason_ in [
            EscalationReason::LowScore,
            EscalationReason::Tie,
            EscalationReason::UnmappedClass,
            EscalationReason::NotFinite,
            EscalationReason::NotProbabilities,
            EscalationReason::WrongLength,
            EscalationReason::TooFewClasses,
            EscalationReason::NetworkFailed,
        ] {
            assert_eq!(serde_json::to_value(reason_).unwrap(), reason_name(reason_));
            assert_eq!(reason(reason_name(reason_)).unwrap(), reason_);
        }
        assert!(reason("tired").unwrap_err().to_string().contains("tired"));
    }
}

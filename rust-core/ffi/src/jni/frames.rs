//! `dev.biglittle.internal.NativeFrames`: a frame in, an answer out, no copy.
//!
//! # Lifetimes
//! The buffers are read during the call only. Java keeps them alive for that
//! long, since they are arguments. Memory that is not the buffer's own (the
//! planes of an `android.media.Image`, a mapped file) has to be kept by the
//! caller: an image must not be closed before the call is over.

use std::slice;

use jni::EnvUnowned;
use jni::objects::{JByteBuffer, JClass, JIntArray, JLongArray, JString};
use jni::sys::jlong;
use jni::{Env, errors::Error as JniError};

use biglittle::frame::{YuvMatrix, YuvRange};
use biglittle::{AnswerStatus, EscalationReason, Outcome, PixelFormat, Rect};

use crate::error::{NativeError, guarded};
use crate::frame::{FrameLayout, PlaneLayout};
use crate::handles;

/// The numbers before those of the planes: format, width, height, rotation,
/// whether there is a crop, its x, y, width and height, matrix, range.
const FRAME_NUMBERS: usize = 11;
/// For each plane: offset and length of its bytes, row stride, pixel stride.
const PLANE_NUMBERS: usize = 4;
const LAYOUT_NUMBERS: usize = FRAME_NUMBERS + 3 * PLANE_NUMBERS;

/// The numbers before those of the levels: label, score, threshold, tier,
/// status, reason, marks, wall and processor nanoseconds, multiply-accumulates,
/// levels.
const ANSWER_NUMBERS: usize = 11;
/// For each level: tier, label, score, reason, wall and processor nanoseconds,
/// multiply-accumulates.
const LEVEL_NUMBERS: usize = 7;
const ALL_ANSWER_NUMBERS: usize = ANSWER_NUMBERS + biglittle::MAX_LEVELS * LEVEL_NUMBERS;

/// Classifies a frame. Gives nothing where that went well, or `kind`, a line
/// feed and the sentence of what went wrong; after an answer that came although
/// a network failed, `Fallback`, a line feed and why.
///
/// `layout` has [`LAYOUT_NUMBERS`] numbers and `answer` is given
/// [`ALL_ANSWER_NUMBERS`]: both belong to the caller and are used again.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_biglittle_internal_NativeFrames_classify<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
    plane0: JByteBuffer<'local>,
    plane1: JByteBuffer<'local>,
    plane2: JByteBuffer<'local>,
    layout: JIntArray<'local>,
    answer: JLongArray<'local>,
) -> JString<'local> {
    let outcome = env.with_env(|env| -> Result<_, JniError> {
        let buffers = [&plane0, &plane1, &plane2];
        let failure = guarded(|| classify(env, engine, buffers, &layout, &answer));
        let text = match &failure {
            Ok(None) => return Ok(JString::null()),
            Ok(Some(failure)) => format!("Fallback\n{failure}"),
            Err(error) => {
                let (kind, sentence) = error.parts();
                format!("{kind}\n{sentence}")
            }
        };
        env.new_string(text)
    });
    outcome.resolve::<jni::errors::ThrowRuntimeExAndDefault>()
}

fn classify(
    env: &Env<'_>,
    engine: i64,
    buffers: [&JByteBuffer<'_>; 3],
    layout: &JIntArray<'_>,
    answer: &JLongArray<'_>,
) -> Result<Option<String>, NativeError> {
    let engine = handles::engine(engine)?;
    // Before the arrays are used: what fails in Java leaves an exception behind.
    check_array(layout.is_null(), || layout.len(env), "layout", LAYOUT_NUMBERS)?;
    check_array(answer.is_null(), || answer.len(env), "answer", ALL_ANSWER_NUMBERS)?;
    let mut numbers = [0; LAYOUT_NUMBERS];
    layout.get_region(env, 0, &mut numbers).map_err(|error| jni_failed("layout", &error))?;
    let described = layout_of(&numbers)?;
    let mut planes: [&[u8]; 3] = [&[]; 3];
    for (index, plane) in planes.iter_mut().enumerate().take(described.planes.len()) {
        let from = FRAME_NUMBERS + index * PLANE_NUMBERS;
        *plane = bytes_of(env, buffers[index], index, numbers[from], numbers[from + 1])?;
    }
    let outcome = engine.run(&described.view(planes)?)?;
    let numbers = answer_of(&outcome);
    answer.set_region(env, 0, &numbers).map_err(|error| jni_failed("answer", &error))?;
    Ok(outcome.failure.as_ref().map(ToString::to_string))
}

/// The `length` bytes of a direct buffer from `offset` on.
fn bytes_of<'a>(
    env: &Env<'_>,
    buffer: &'a JByteBuffer<'_>,
    index: usize,
    offset: i32,
    length: i32,
) -> Result<&'a [u8], NativeError> {
    let invalid = |what: String| NativeError::InvalidFrame(format!("plane {index} {what}"));
    if buffer.is_null() {
        return Err(invalid("has no buffer: give a direct ByteBuffer".into()));
    }
    let (Ok(capacity), Ok(start)) =
        (env.get_direct_buffer_capacity(buffer), env.get_direct_buffer_address(buffer))
    else {
        return Err(invalid(
            "is not a direct ByteBuffer: allocate it with ByteBuffer.allocateDirect".into(),
        ));
    };
    let place = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
    let Some((offset, length)) = place
        .filter(|(offset, length)| offset.checked_add(*length).is_some_and(|end| end <= capacity))
    else {
        return Err(invalid(format!(
            "is to have {length} bytes from {offset} on, but its buffer has {capacity}"
        )));
    };
    // SAFETY: `start` is the address of `capacity` bytes, which contain these,
    // of a buffer that is alive while its reference `buffer` is borrowed. Nobody
    // writes to a frame that is being classified: the Kotlin side says so, and
    // camera buffers are not written to before they are given back.
    Ok(unsafe { slice::from_raw_parts(start.add(offset), length) })
}

fn layout_of(numbers: &[i32; LAYOUT_NUMBERS]) -> Result<FrameLayout, NativeError> {
    const FORMATS: [PixelFormat; 7] = [
        PixelFormat::Gray8,
        PixelFormat::Rgb8,
        PixelFormat::Rgba8,
        PixelFormat::Bgra8,
        PixelFormat::Yuv420,
        PixelFormat::Nv12,
        PixelFormat::Nv21,
    ];
    let [
        format,
        width,
        height,
        rotation,
        has_crop,
        x,
        y,
        crop_width,
        crop_height,
        matrix,
        range,
        ..,
    ] = *numbers;
    let number = |name: &str, value: i32| {
        u32::try_from(value).map_err(|_| {
            NativeError::InvalidFrame(format!("{name} is {value}: it must not be negative"))
        })
    };
    let format = usize::try_from(format).ok().and_then(|format| FORMATS.get(format)).copied();
    let format = format.ok_or_else(|| {
        NativeError::InvalidFrame("the format is none of PixelFormat's: use one of them".into())
    })?;
    let crop = match has_crop {
        0 => None,
        _ => Some(Rect {
            x: number("crop x", x)?,
            y: number("crop y", y)?,
            width: number("crop width", crop_width)?,
            height: number("crop height", crop_height)?,
        }),
    };
    let planes = numbers[FRAME_NUMBERS..].chunks_exact(PLANE_NUMBERS).take(format.plane_count());
    let planes = planes.map(|plane| {
        Ok(PlaneLayout {
            row_stride: number("a row stride", plane[2])?,
            pixel_stride: number("a pixel stride", plane[3])?,
        })
    });
    Ok(FrameLayout {
        format,
        width: number("width", width)?,
        height: number("height", height)?,
        planes: planes.collect::<Result<_, NativeError>>()?,
        rotation_degrees: rotation,
        crop,
        matrix: if matrix == 0 { YuvMatrix::Bt601 } else { YuvMatrix::Bt709 },
        range: if range == 0 { YuvRange::Full } else { YuvRange::Limited },
    })
}

fn answer_of(outcome: &Outcome) -> [i64; ALL_ANSWER_NUMBERS] {
    let label = |label: Option<u32>| label.map_or(-1, i64::from);
    // The bits, as Float.fromBits reads them.
    let score = |score: f32| i64::from(score.to_bits());
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut numbers = [0; ALL_ANSWER_NUMBERS];
    let marks = outcome.marks;
    let marks = [marks.below_certificate, marks.reused, marks.degraded, marks.audited];
    let marks = (0..).zip(marks).map(|(bit, mark)| i64::from(mark) << bit).sum();
    numbers[..ANSWER_NUMBERS].copy_from_slice(&[
        label(outcome.label),
        score(outcome.score),
        score(outcome.threshold.value()),
        i64::from(outcome.tier),
        status_code(outcome.status),
        reason_code(outcome.levels.first().and_then(|level| level.escalation)),
        marks,
        count(outcome.times.wall_ns),
        count(outcome.times.cpu_ns),
        count(outcome.macs),
        outcome.levels.len() as i64,
    ]);
    let places = numbers[ANSWER_NUMBERS..].chunks_exact_mut(LEVEL_NUMBERS);
    for (place, level) in places.zip(&outcome.levels) {
        place.copy_from_slice(&[
            i64::from(level.tier),
            label(level.label),
            score(level.score),
            reason_code(level.escalation),
            count(level.times.wall_ns),
            count(level.times.cpu_ns),
            count(level.macs),
        ]);
    }
    numbers
}

/// The place in the enum, as it is generated for Kotlin.
fn status_code(status: AnswerStatus) -> i64 {
    match status {
        AnswerStatus::Accepted => 0,
        AnswerStatus::Unsure => 1,
        AnswerStatus::Fallback => 2,
        AnswerStatus::Dropped => 3,
    }
}

/// As above; -1 where the answer stood.
fn reason_code(reason: Option<EscalationReason>) -> i64 {
    match reason {
        None => -1,
        Some(EscalationReason::LowScore) => 0,
        Some(EscalationReason::Tie) => 1,
        Some(EscalationReason::UnmappedClass) => 2,
        Some(EscalationReason::NotFinite) => 3,
        Some(EscalationReason::NotProbabilities) => 4,
        Some(EscalationReason::WrongLength) => 5,
        Some(EscalationReason::TooFewClasses) => 6,
        Some(EscalationReason::NetworkFailed) => 7,
    }
}

fn check_array(
    is_null: bool,
    length: impl FnOnce() -> Result<usize, JniError>,
    what: &str,
    needed: usize,
) -> Result<(), NativeError> {
    let length = if is_null { 0 } else { length().map_err(|error| jni_failed(what, &error))? };
    if length < needed {
        return Err(NativeError::InvalidArgument(format!(
            "the array `{what}` has {length} numbers: give {needed}"
        )));
    }
    Ok(())
}

fn jni_failed(what: &str, error: &JniError) -> NativeError {
    NativeError::Internal(format!("the array `{what}` cannot be used: {error}"))
}

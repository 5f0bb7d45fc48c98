//! Reports: their numbers, their escaping, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record};
use serde_json::Value;
use support::device::{self, metadata};
use support::*;

fn mnist() -> String {
    models().join("mnist").display().to_string()
}

/// A trace of the first 2,000 test digits, recorded once.
fn trace() -> &'static str {
    static TRACE: OnceLock<String> = OnceLock::new();
    TRACE.get_or_init(|| {
        let path = format!("{}/report.parquet", env!("CARGO_TARGET_TMPDIR"));
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(format!("{path}.parts"));
        let (bundle, data) = (bundle(), mnist());
        good(&["trace", "-b", &bundle, "-d", &data, "-o", &path, "--samples", "2000"]);
        path
    })
}

/// What a row of a trace says, read without the program.
#[derive(Debug, Clone)]
struct Seen {
    sample: String,
    label: i32,
    answers: [i32; 2],
    margin: f32,
    probability: f32,
    macs: [i64; 2],
    cpu_ns: [i64; 2],
}

fn field<'a>(row: &'a Record, path: &[&str]) -> &'a Field {
    let (_, found) = row.get_column_iter().find(|(name, _)| *name == path[0]).unwrap();
    match found {
        Field::Group(row) if path.len() > 1 => field(row, &path[1..]),
        found => found,
    }
}

fn seen(path: &str, split: Option<&str>) -> Vec<Seen> {
    let int = |row: &Record, path: &[&str]| match field(row, path) {
        Field::Int(value) => *value,
        _ => -1,
    };
    let long = |row: &Record, path: &[&str]| match field(row, path) {
        Field::Long(value) => *value,
        other => panic!("{other:?}"),
    };
    let float = |row: &Record, path: &[&str]| match field(row, path) {
        Field::Float(value) => *value,
        _ => f32::NAN,
    };
    let text = |row: &Record, name: &str| match field(row, &[name]) {
        Field::Str(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let levels = ["little", "big"];
    let file = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let rows = file.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.filter(|row| split.is_none_or(|split| text(row, "split") == split))
        .map(|row| Seen {
            sample: text(&row, "sample"),
            label: int(&row, &["label"]),
            answers: levels.map(|level| int(&row, &["levels", level, "answer"])),
            margin: float(&row, &["levels", "little", "margin"]),
            probability: float(&row, &["levels", "little", "max_probability"]),
            macs: levels.map(|level| long(&row, &["levels", level, "macs"])),
            cpu_ns: levels.map(|level| long(&row, &["levels", level, "cpu_ns"])),
        })
        .collect()
}

/// The threshold of the bundle.
fn threshold() -> f32 {
    let meta = metadata(trace());
    meta["manifest"]["levels"][0]["threshold"].to_string().parse().unwrap()
}

/// The page and what `--json` said of it.
fn report(scratch: &Scratch, trace: &str, more: &[&str]) -> (String, Value) {
    let page = scratch.path("report.html");
    let json = json(&[&["report", trace, "-o", &page, "--json"][..], more].concat());
    (fs::read_to_string(&page).unwrap(), json)
}

fn steps(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"steps\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn share(count: usize, rows: &[Seen]) -> f64 {
    count as f64 / rows.len() as f64
}

#[test]
fn every_number_is_that_of_a_count_by_hand() {
    let scratch = Scratch::new();
    let (page, json) = report(&scratch, trace(), &[]);
    let rows = seen(trace(), Some("test"));
    let threshold = threshold();
    let cascade = |row: &Seen, t: f32| row.answers[usize::from(row.margin <= t)];
    let right = rows.iter().filter(|row| cascade(row, threshold) == row.label).count();
    let escalated = rows.iter().filter(|row| row.margin <= threshold).count();
    assert_eq!(json["rows"], rows.len());
    assert_eq!(json["accuracy"]["count"], right);
    assert_eq!(json["escalation"].as_f64().unwrap(), share(escalated, &rows));
    assert!(page.contains(&format!("{:.2}\u{a0}%</b>", 100.0 * share(right, &rows))));

    // The area under the risk-coverage curve and the calibration error, by the book.
    let mut sorted: Vec<_> = rows.iter().map(|r| (r.margin, r.answers[0] != r.label)).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    assert!(sorted.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1));
    let mut wrong = 0;
    let risks = sorted.iter().zip(1..).map(|(row, rank)| {
        wrong += usize::from(row.1);
        wrong as f64 / f64::from(rank)
    });
    let aurc = risks.sum::<f64>() / rows.len() as f64;
    let little = &json["levels"][0];
    assert!((little["aurc"].as_f64().unwrap() - aurc).abs() < 1e-12, "{little} {aurc}");
    let mut ece = 0.0;
    for bin in 0..15 {
        let ends = [f64::from(bin) / 15.0, f64::from(bin + 1) / 15.0];
        let inside = |row: &&Seen| {
            let p = f64::from(row.probability);
            p > ends[0] && p <= ends[1]
        };
        let sum: f64 = rows.iter().filter(inside).map(|row| f64::from(row.probability)).sum();
        let right = rows.iter().filter(inside).filter(|r| r.answers[0] == r.label).count();
        ece += (sum - right as f64).abs() / rows.len() as f64;
    }
    assert!((little["ece"].as_f64().unwrap() - ece).abs() < 1e-9, "{little} {ece}");

    // Costs: levels that ran, against the last level alone.
    let spent = |of: fn(&Seen) -> [i64; 2]| {
        let ran = |row: &Seen| of(row)[0] + if row.margin <= threshold { of(row)[1] } else { 0 };
        let cascade: i64 = rows.iter().map(ran).sum();
        let big: i64 = rows.iter().map(|row| of(row)[1]).sum();
        let mut times: Vec<i64> = rows.iter().map(ran).collect();
        times.sort_unstable();
        (cascade as f64 / big as f64, times)
    };
    let (macs, _) = spent(|row| row.macs);
    let (cpu, times) = spent(|row| row.cpu_ns);
    assert!((json["macs_share"].as_f64().unwrap() - macs).abs() < 1e-12);
    assert!((json["cpu_share"].as_f64().unwrap() - cpu).abs() < 1e-12);
    let latency = &json["latency"][2];
    for (name, percent) in [("p50_ns", 50), ("p95_ns", 95), ("p99_ns", 99)] {
        assert_eq!(latency[name], times[(times.len() * percent).div_ceil(100) - 1], "{name}");
    }

    // Every step of the slider, counted anew at its threshold.
    let steps = steps(&page);
    let all = steps["steps"].as_array().unwrap();
    assert!(all.len() > 100);
    for step in all {
        // Through text, as no f32 is lost in it.
        let t: f32 = step[0].as_f64().map_or(f32::NEG_INFINITY, |t| t.to_string().parse().unwrap());
        let right = rows.iter().filter(|row| cascade(row, t) == row.label).count();
        let escalated = rows.iter().filter(|row| row.margin <= t).count();
        let harm = rows.iter().filter(|row| {
            row.margin > t && row.answers[0] != row.label && row.answers[1] == row.label
        });
        assert_eq!(
            (&step[1], &step[2], &step[3]),
            (&escalated.into(), &right.into(), &harm.count().into())
        );
    }
    let current = &all[steps["current"].as_u64().unwrap() as usize];
    assert_eq!((&current[1], &current[2]), (&escalated.into(), &right.into()));
    assert_eq!(all[all.len() - 1][1], rows.len());
    assert_eq!(all[0][1], 0);
}

#[test]
fn a_page_is_whole_and_needs_nothing_else() {
    let scratch = Scratch::new();
    let (page, json) = report(&scratch, trace(), &["-d", &mnist(), "--split", "all"]);
    assert_eq!(json["rows"], 2_000);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    for part in [
        "Move the threshold",
        "What is promised",
        "Risk against coverage",
        "Scores of the first level",
        "Is a probability what it says?",
        "Accuracy against cost",
        "CPU time of a sample",
        "Samples worth looking at",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // No certificate: it says so, and what to run.
    assert!(page.contains("carries no certificate") && page.contains("biglittle calibrate"));
    let pictures = page.matches("src=\"data:image/png;base64,").count();
    assert_eq!(json["thumbnails"], pictures);
    assert!((12..=24).contains(&pictures), "{pictures}");
    assert!(!page.contains("://"), "no address");
    // Every svg that is a picture has a title and a description.
    assert_eq!(page.matches("role=\"img\"").count(), page.matches("aria-describedby").count());
    // The surest harm comes first.
    let mut harms: Vec<_> = seen(trace(), None);
    harms.retain(|row| row.answers[0] != row.label && row.answers[1] == row.label);
    harms.sort_by(|a, b| b.margin.total_cmp(&a.margin));
    let (_, gallery) = page.split_once("class=\"gallery\"").unwrap();
    let (_, first) = gallery.split_once("alt=\"sample ").unwrap();
    assert!(first.starts_with(&format!("{}\"", harms[0].sample)));

    // Without --data names only; with other pictures none, and why.
    let (plain, json) = report(&scratch, trace(), &["--split", "all"]);
    assert!(!plain.contains("data:image") && plain.contains("Names only"));
    assert_eq!(json["thumbnails"], 0);
    scratch.digits(1);
    let (other, _) = report(&scratch, trace(), &["-d", &scratch.path(".")]);
    assert!(other.contains("No picture: not in the data folder") && !other.contains("data:image"));
}

#[test]
fn a_certificate_is_put_in_words() {
    let scratch = Scratch::new();
    let certified = scratch.path("certified");
    let args = ["calibrate", trace(), "--loss", "harm", "--eps", "0.01", "--date", "2026-11-23"];
    let found = json(&[&args[..], &["-b", &bundle(), "-o", &certified, "--json"]].concat());
    let (page, json) = report(&scratch, trace(), &["-b", &certified]);
    let certificate = &found["certificates"][0];
    assert_eq!(json["threshold"], certificate["thresholds"][0]);
    // Judged anew where calibration fitted a temperature: the same figures.
    assert_eq!(json["escalation"], certificate["test"]["escalation"]);
    assert_eq!(json["accuracy"]["share"], certificate["test"]["accuracy"]);
    assert_eq!(json["bad"]["count"], certificate["test"]["bad"]);
    assert!(page.contains("<b>95 % confidence</b>, at most <b>1 %</b>"), "in words");
    assert!(page.contains("wrong where big alone would be right"));
    assert!(page.contains(&format!("{} calibration samples", certificate["n"])));
    assert!(page.contains("2026-11-23") && !page.contains("carries no certificate"));
    let steps = steps(&page);
    assert_eq!(steps["certified"], steps["current"]);

    let other = resealed(&scratch, "other", "\"width\": 28", "\"width\": 32");
    let page = scratch.path("none.html");
    refused(
        &["report", trace(), "-o", &page, "-b", &other],
        BAD_DATA,
        &["report.parquet", "bundle"],
    );
    assert!(!Path::new(&page).exists());
}

#[test]
fn names_and_labels_are_text_whatever_they_hold() {
    let scratch = Scratch::new();
    let evil = "<script>alert(1)</script>";
    // A label, a level, the bundle and a file that would be elements.
    let folder = scratch.path("bundle");
    good(&["pack", &bundle(), "-o", &folder]);
    let manifest = fs::read_to_string(Path::new(&folder).join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    let labels = format!("{evil}\n<img src=x onerror=alert(2)>\n2\n3\n4\n5\n6\n7\n8\n\"9'&\n");
    fs::write(Path::new(&folder).join("labels.txt"), &labels).unwrap();
    manifest["labels"]["bytes"] = labels.len().into();
    manifest["labels"]["sha256"] = biglittle::bundle::sha256_hex(labels.as_bytes()).into();
    manifest["name"] = evil.into();
    manifest["levels"][0]["name"] = evil.into();
    // Everything escalates, so that every sample may be in the gallery.
    manifest["levels"][0]["threshold"] = 0.999_999.into();
    reseal(&folder, &manifest.to_string());
    let (pixels, digits) = test_digits();
    let mut list = "file,label\n".to_owned();
    for index in 0..12 {
        let name = format!("x{index}\" onerror=alert(3) <b>.png");
        let image = image::GrayImage::from_raw(28, 28, pixels[index * 784..][..784].to_vec());
        fs::create_dir_all(scratch.path("data")).unwrap();
        image.unwrap().save(scratch.path(&format!("data/{name}"))).unwrap();
        let label = labels.lines().nth(usize::from(digits[index])).unwrap();
        list += &format!("\"{}\",\"{}\"\n", name.replace('"', "\"\""), label.replace('"', "\"\""));
    }
    scratch.write("data/labels.csv", list.as_bytes());
    let (data, trace) = (scratch.path("data"), scratch.path("evil.parquet"));
    good(&["trace", "-b", &folder, "-d", &data, "-o", &trace]);
    let (page, json) = report(&scratch, &trace, &["-d", &data, "--split", "all"]);
    assert!(json["thumbnails"].as_u64().unwrap() > 0);
    assert_eq!(page.matches("<script").count(), 2, "the steps and the script of the page");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for element in ["<img src=x", "<b>.png", "\" onerror"] {
        assert!(!page.contains(element), "{element}");
    }
    assert!(
        page.contains("x0&quot; onerror=alert(3) &lt;b&gt;.png") || page.contains("&quot; onerror")
    );
}

/// A trace of devices, with margins and nothing else.
fn fleet(scratch: &Scratch, change: impl Fn(usize, &mut device::Row), left_out: &[&str]) -> String {
    let mut meta = metadata(trace());
    meta["has_outputs"] = false.into();
    let mut rows = device::rows(&meta);
    rows.iter_mut().enumerate().for_each(|(index, row)| {
        row.split = "test";
        change(index, row);
    });
    let path = scratch.path("fleet.parquet");
    device::write(&path, &meta, &rows, left_out);
    path
}

#[test]
fn what_a_trace_does_not_have_is_said() {
    let scratch = Scratch::new();
    // One class, few columns, and scores that are none.
    let path = fleet(
        &scratch,
        |index, row| match index {
            0 => row.margin = Some(f32::NAN),
            1 => row.margin = None,
            2 => row.margin = Some(f32::INFINITY),
            _ => {}
        },
        &[],
    );
    let (page, json) = report(&scratch, &path, &[]);
    assert_eq!(
        (&json["rows"], &json["unscored"], &json["loss"]),
        (&1000.into(), &3.into(), &"harm".into())
    );
    // Scores are 0.003, 0.004, ... 0.999, and three rows have none.
    let below = (3..1000u16).filter(|score| f32::from(*score) / 1000.0 <= threshold()).count();
    assert_eq!(json["escalation"], (below + 3) as f64 / 1000.0);
    assert_eq!(json["macs_share"], Value::Null);
    assert!(page.contains("no columns of cost") && page.contains("with one class only"));
    assert!(
        page.contains("3 rows without a usable score")
            && page.contains("no column <code>sample</code>")
    );
    assert!(!page.contains("Is a probability what it says?"), "there are no probabilities");
    let last = steps(&page)["steps"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last[1], &last[2], &last[3]), (&1000.into(), &1000.into(), &0.into()));

    // No labels: agreement, in every word.
    let path = fleet(&scratch, |_, _| {}, &["label"]);
    let (page, json) = report(&scratch, &path, &[]);
    assert_eq!(json["loss"], "disagree");
    assert!(page.contains("has no labels") && page.contains("agreement with big"));
    assert!(page.contains("--loss disagree") && !page.contains("harm"));
    let path = fleet(&scratch, |index, row| row.label = row.label.filter(|_| index >= 400), &[]);
    let (page, json) = report(&scratch, &path, &[]);
    assert_eq!(json["rows"], 600);
    assert!(page.contains("400 without a label are not counted"));

    // No loss at all, all scores equal, none usable.
    for margin in [Some(0.25), Some(0.9), None] {
        let all = |_: usize, row: &mut device::Row| {
            row.answers = [3, 3];
            row.margin = margin;
        };
        let (page, json) = report(&scratch, &fleet(&scratch, all, &[]), &[]);
        assert_eq!(json["accuracy"]["share"], 1.0);
        assert_eq!(json["escalation"], if margin == Some(0.9) { 0.0 } else { 1.0 });
        assert!(page.contains("There is no harm among these rows"), "{margin:?}");
    }
}

#[test]
fn what_is_no_trace_is_refused_and_nothing_is_written() {
    let scratch = Scratch::new();
    let page = scratch.path("report.html");
    let refuse = |trace: &str, words: &[&str]| {
        refused(&["report", trace, "-o", &page], BAD_DATA, words);
        let left: Vec<_> =
            fs::read_dir(scratch.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name.to_string_lossy().ends_with(".parquet")), "{left:?}");
    };
    let whole = fs::read(trace()).unwrap();
    let path = scratch.path("cut.parquet");
    for length in [0, 3, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        refuse(&path, &["cut.parquet", "is not a whole Parquet file"]);
    }
    fs::write(&path, b"these are notes, and quite long ones").unwrap();
    refuse(&path, &["not a whole Parquet file"]);
    refuse(&scratch.path("nowhere.parquet"), &["cannot be read"]);
    fs::remove_file(&path).unwrap();
    refuse(&fleet(&scratch, |_, _| {}, &["margin"]), &["no column levels.little.margin"]);
    refuse(&fleet(&scratch, |_, row| row.label = Some(10), &[]), &["the label 10"]);
    refuse(
        &fleet(&scratch, |_, row| row.split = "tune", &[]),
        &["no rows of the split test", "--split all"],
    );
    refused(
        &["report", trace(), "-o", &page, "-d", &scratch.path("none")],
        BAD_DATA,
        &["is not a folder"],
    );

    // A page is replaced, anything else is not.
    let trace = fleet(&scratch, |_, _| {}, &[]);
    let before = fs::read(&trace).unwrap();
    refused(&["report", &trace, "-o", &trace], BAD_DATA, &["is no HTML page"]);
    assert_eq!(fs::read(&trace).unwrap(), before);
    good(&["report", &trace, "-o", &page]);
    good(&["report", &trace, "-o", &page]);
    refused(
        &["report", &trace, "-o", &scratch.path("no/folder.html")],
        BAD_DATA,
        &["its folder", "does not exist"],
    );
}

#[test]
fn three_levels_have_their_report() {
    let scratch = Scratch::new();
    // The same network, in three sizes of file names: only the levels matter.
    let folder = scratch.path("bundle");
    good(&["pack", &bundle(), "-o", &folder]);
    let text = fs::read_to_string(Path::new(&folder).join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&text).unwrap();
    let mut middle = manifest["networks"][0].clone();
    middle["id"] = "middle".into();
    middle["file"]["path"] = "middle.onnx".into();
    fs::copy(Path::new(&folder).join("little.onnx"), Path::new(&folder).join("middle.onnx"))
        .unwrap();
    manifest["networks"].as_array_mut().unwrap().insert(1, middle);
    let mut level = manifest["levels"][0].clone();
    level["name"] = "middle".into();
    level["networks"] = serde_json::json!(["middle"]);
    level["answer"] = "committee".into();
    manifest["levels"].as_array_mut().unwrap().insert(1, level);
    manifest["levels"][2]["answer"] = "committee".into();
    reseal(&folder, &manifest.to_string());
    let (data, trace) = (mnist(), scratch.path("three.parquet"));
    good(&["trace", "-b", &folder, "-d", &data, "-o", &trace, "--samples", "400"]);
    let (page, json) = report(&scratch, &trace, &["--split", "all"]);
    assert_eq!(json["levels"].as_array().unwrap().len(), 3);
    assert_eq!(json["latency"].as_array().unwrap().len(), 4);
    assert!(page.contains("those of the later levels stay"));
    let scale = json_of_evaluate(&folder);
    assert_eq!(json["accuracy"]["share"], scale["cascade"]["accuracy"]);
    assert_eq!(json["escalation"], scale["cascade"]["escalation_rate"]);
}

fn json_of_evaluate(folder: &str) -> Value {
    json(&["evaluate", "-b", folder, "-d", &mnist(), "--samples", "400", "--json"])
}

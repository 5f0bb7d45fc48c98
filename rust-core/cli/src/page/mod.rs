//! HTML pages that need nothing else: no network, no font, no script but their
//! own.
//!
//! Decides what all pages have in common: the style, the frame around sections,
//! how a chart stands in it, and how a page is written. Every text that comes from
//! a trace, a bundle or a file name goes through maud, which escapes it. The
//! Content-Security-Policy forbids everything but the page's own style and script,
//! by their hashes, and pictures in it.

mod chart;
pub mod words;

pub use chart::{figure, figure_in_two};

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use biglittle::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::files;

const STYLE: &str = include_str!("page.css");

/// A page before it is written.
pub struct Page<'a> {
    /// What the page is about, and of which kind it is.
    pub title: &'a str,
    pub kind: &'static str,
    pub header: Markup,
    /// The numbers that come before all sections.
    pub headline: Markup,
    /// Id, name in the navigation, and contents.
    pub sections: Vec<(&'static str, &'static str, Markup)>,
    pub script: Option<Script>,
}

/// What makes a page move.
pub struct Script {
    pub code: &'static str,
    /// The id and text of the JSON that it reads.
    pub data: (&'static str, String),
}

impl Page<'_> {
    pub fn into_html(self) -> String {
        let Page { title, kind, header, headline, sections, script } = self;
        let script_source = match &script {
            Some(script) => format!("'sha256-{}'", sha256_base64(script.code)),
            None => "'none'".to_owned(),
        };
        let policy = format!(
            "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src {script_source}; \
             base-uri 'none'; form-action 'none'",
            sha256_base64(STYLE),
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content={ "biglittle " (env!("CARGO_PKG_VERSION")) };
                    title { (title) " · biglittle " (kind) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header { (header) }
                    nav aria-label="Sections" {
                        @for (id, name, _) in &sections { a href={ "#" (id) } { (name) } }
                    }
                    main {
                        (headline)
                        @for (id, _, section) in &sections { section id=(id) { (section) } }
                    }
                    @if let Some(Script { code, data: (id, data) }) = &script {
                        script type="application/json" id=(id) { (PreEscaped(data)) }
                        script { (PreEscaped(code)) }
                    }
                }
            }
        };
        page.into_string()
    }
}

/// A trace that was given for the page by mistake is not written over.
pub fn check_output(path: &Path) -> Result<()> {
    files::may_replace(path, b"<!DOCTYPE html>", "HTML page")
}

fn sha256_base64(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

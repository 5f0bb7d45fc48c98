//! `uniffi-bindgen generate -l kotlin --out-dir OUT --no-format LIBRARY` writes
//! the Kotlin layer over a built `biglittle-ffi`.

fn main() {
    uniffi::uniffi_bindgen_main();
}

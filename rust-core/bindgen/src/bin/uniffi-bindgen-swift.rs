//! `uniffi-bindgen-swift LIBRARY OUT --swift-sources --headers --modulemap`
//! writes the Swift layer over a built `biglittle-ffi`.

fn main() {
    uniffi::uniffi_bindgen_swift();
}

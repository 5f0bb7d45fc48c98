//! What happens when Java loads the library.

use std::ffi::c_void;

use jni::sys::{JNI_VERSION_1_6, JavaVM, jint};

/// Called by `System.loadLibrary`; says which JNI is needed. What has to be
/// prepared is prepared where it is used, since JNA opens the library without
/// this.
#[unsafe(no_mangle)]
pub extern "system" fn JNI_OnLoad(_vm: *mut JavaVM, _reserved: *mut c_void) -> jint {
    JNI_VERSION_1_6
}

// Not run by this project's checks: see ../build.gradle.kts.
import org.gradle.api.tasks.Exec

plugins {
    id("com.android.library")
    id("org.jetbrains.kotlin.android")
}

val repository = rootDir.resolve("..")
val bindings = layout.buildDirectory.dir("generated/bindings")
val libraries = layout.buildDirectory.dir("generated/jniLibs")

android {
    namespace = "dev.biglittle"
    compileSdk = 36
    // From r28 on libraries have 16 KB pages without being asked.
    ndkVersion = "28.2.13676358"

    defaultConfig {
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets["main"].kotlin.srcDir(bindings)
    sourceSets["main"].jniLibs.srcDir(libraries)
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
}

kotlin {
    compilerOptions { jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_1_8 }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.11.0")
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}

// cargo install cargo-ndk; rustup target add aarch64-linux-android x86_64-linux-android
val cargoNdk by tasks.registering(Exec::class) {
    workingDir = repository
    environment("ANDROID_NDK_HOME", android.ndkDirectory)
    commandLine(
        "cargo", "ndk", "-t", "arm64-v8a", "-t", "x86_64", "--platform", "26",
        "-o", libraries.get().asFile.path, "build", "--release", "-p", "biglittle-ffi",
    )
}

val bindgen by tasks.registering(Exec::class) {
    dependsOn(cargoNdk)
    workingDir = repository
    commandLine(
        "cargo", "run", "-p", "biglittle-bindgen", "--bin", "uniffi-bindgen", "--",
        "generate", "-l", "kotlin", "--no-format", "--out-dir", bindings.get().asFile.path,
        "target/aarch64-linux-android/release/libbiglittle_ffi.so",
    )
}

tasks.named("preBuild") { dependsOn(bindgen) }

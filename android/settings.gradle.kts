// For Android Studio and for building the AAR: see docs/android.md. The tests
// and everything else that runs without a phone are Maven's (pom.xml).
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "biglittle"
include(":sdk", ":camera")
project(":camera").projectDir = file("../sample-apps/android-camera")

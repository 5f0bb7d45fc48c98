// Not run by this project's checks, which have no Android Gradle Plugin and no
// NDK: kept as small as it can be.
plugins {
    id("com.android.library") version "8.13.0" apply false
    id("com.android.application") version "8.13.0" apply false
    id("org.jetbrains.kotlin.android") version "2.4.21" apply false
}

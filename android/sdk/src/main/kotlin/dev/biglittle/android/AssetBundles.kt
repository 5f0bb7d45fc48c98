package dev.biglittle.android

import android.content.res.AssetManager
import dev.biglittle.BigLittle
import dev.biglittle.BigLittleException
import dev.biglittle.EngineOptions
import java.io.IOException

/**
 * Opens the bundle that the app carries as the asset at [path]: one `.biglittle` file, as
 * `biglittle pack` writes it.
 *
 * @throws BigLittleException.Io when there is no such asset.
 * @throws BigLittleException.InvalidBundle when a byte is changed, missing or too much.
 * @throws BigLittleException.InvalidModel when a network cannot be used.
 */
public suspend fun BigLittle.Companion.open(
    assets: AssetManager,
    path: String,
    options: EngineOptions = EngineOptions(),
): BigLittle {
    val stream = try {
        assets.open(path)
    } catch (missing: IOException) {
        throw BigLittleException.Io("the app has no asset $path: put the bundle into src/main/assets", missing)
    }
    return open(stream, options)
}

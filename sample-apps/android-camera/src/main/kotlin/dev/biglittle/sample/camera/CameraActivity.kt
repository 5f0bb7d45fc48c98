package dev.biglittle.sample.camera

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.content.res.AssetManager
import android.graphics.SurfaceTexture
import android.net.Uri
import android.os.Bundle
import android.provider.Settings
import android.view.Surface
import android.view.TextureView
import dev.biglittle.BigLittle
import dev.biglittle.DeviceReading
import dev.biglittle.DeviceTrace
import dev.biglittle.EngineOptions
import dev.biglittle.RuntimeOptions
import dev.biglittle.core.TraceEvent
import dev.biglittle.UserMode
import dev.biglittle.android.DeviceMonitor
import dev.biglittle.android.open
import dev.biglittle.android.toFrame
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch

/** Joins camera, phone, networks and screen. */
internal class CameraActivity :
    Activity(),
    CameraScreen.Actions {
    private lateinit var model: CameraViewModel
    private lateinit var screen: CameraScreen
    private lateinit var controller: CameraController
    private var views: CoroutineScope? = null
    private var monitor: DeviceMonitor? = null

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        @Suppress("DEPRECATION") // what replaces it is androidx
        model = lastNonConfigurationInstance as CameraViewModel? ?: newModel()
        controller = CameraController(this)
        setContentView(R.layout.camera_screen)
        screen = CameraScreen(window.decorView.view(R.id.screen), this)
        screen.show(model.state.value)
    }

    @Deprecated("Its replacement is in androidx, which this app does without.")
    override fun onRetainNonConfigurationInstance(): Any = model

    override fun onStart() {
        super.onStart()
        views = MainScope().apply { launch { model.state.collect(screen::show) } }
        monitor = DeviceMonitor(this, mainLooper) { model.phoneSays(it) }
        begin(if (model.hasBegun) model.state.value.source else preferredSource())
    }

    override fun onStop() {
        model.stop()
        monitor?.close()
        views?.cancel()
        views = null
        super.onStop()
    }

    override fun onDestroy() {
        if (!isChangingConfigurations) model.close()
        super.onDestroy()
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        when {
            isAllowed() -> begin(Source.CAMERA)

            // The question was interrupted, not answered.
            results.isEmpty() -> model.needsPermission(settings = false)

            else -> askOrExplain()
        }
    }

    override fun chooseMode(mode: UserMode) = model.chooseMode(mode)

    override fun simulateHeat(position: Int) = model.simulateHeat(position)

    override fun chooseSource(source: Source) = begin(source)

    override fun retry() = begin(model.state.value.source)

    override fun allowCamera() {
        val stage = model.state.value.stage
        if (stage is Stage.NeedsPermission && stage.settings) {
            startActivity(
                Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", packageName, null)),
            )
        } else {
            requestPermissions(arrayOf(Manifest.permission.CAMERA), 0)
        }
    }

    private fun begin(source: Source) {
        when {
            source == Source.RECORDED -> model.start(source, RecordedDigits.shots(assets, DIGITS_PER_SECOND))
            !isAllowed() -> model.needsPermission(settings = isRefusedForGood())
            else -> beginCamera()
        }
    }

    private fun beginCamera() = try {
        val id = controller.cameraId() ?: throw CameraException(getString(R.string.no_camera))
        val rotation = controller.rotationDegrees(id, displayDegrees())
        model.showCamera()
        whenShown(screen.camera) { texture ->
            val geometry = CameraGeometry(screen.camera.width, screen.camera.height, displayDegrees())
            screen.camera.setTransform(geometry.transform())
            val shots: Flow<Shot> = controller.images(id, texture).map { image ->
                Shot(image.toFrame(rotation, geometry.guide()))
            }
            model.start(Source.CAMERA, shots)
        }
    } catch (error: CameraException) {
        model.fail(error.message.orEmpty())
    }

    /** Calls [work] as soon as the view has something to draw on. */
    private fun whenShown(view: TextureView, work: (SurfaceTexture) -> Unit) {
        view.surfaceTexture?.let { return work(it) }
        view.surfaceTextureListener = object : TextureView.SurfaceTextureListener {
            override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) {
                view.surfaceTextureListener = null
                // The user may have gone back to digits meanwhile, or away.
                if (views != null && model.state.value.source == Source.CAMERA) work(texture)
            }

            override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) = Unit

            override fun onSurfaceTextureDestroyed(texture: SurfaceTexture) = true

            override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit
        }
    }

    private fun askOrExplain() {
        model.needsPermission(settings = !shouldShowRequestPermissionRationale(Manifest.permission.CAMERA))
    }

    /** As the system said last; once it asks no more, only its settings help. */
    private fun isRefusedForGood() = (model.state.value.stage as? Stage.NeedsPermission)?.settings ?: false

    private fun isAllowed() = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    private fun preferredSource() =
        if (packageManager.hasSystemFeature(PackageManager.FEATURE_CAMERA_ANY)) Source.CAMERA else Source.RECORDED

    @Suppress("DEPRECATION") // Context.getDisplay needs API 30
    private fun displayDegrees() = when (windowManager.defaultDisplay.rotation) {
        Surface.ROTATION_90 -> 90
        Surface.ROTATION_180 -> 180
        Surface.ROTATION_270 -> 270
        else -> 0
    }

    private fun newModel(): CameraViewModel {
        val assets = applicationContext.assets
        val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)
        return CameraViewModel(scope, { recording(assets) }) { BigLittle.open(assets, BUNDLE, OPTIONS) }
    }

    internal companion object {
        /** What a phone said about itself in a video call in the sun. */
        fun recording(assets: AssetManager): List<DeviceReading> {
            val text = assets.open("device.jsonl").use { it.reader().readText() }
            return DeviceTrace.parse(text).events.filterIsInstance<TraceEvent.Reading>().map { it.v1 }
        }

        private const val DIGITS_PER_SECOND = 10
        const val BUNDLE = "mnist.biglittle"

        // The bundle has one certificate, which is also the floor. The demo leaves it when the phone
        // is hot, so that something is to be seen, and says so with each such answer.
        val OPTIONS = EngineOptions(runtime = RuntimeOptions(accuracyMayDrop = true))
    }
}

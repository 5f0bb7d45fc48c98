package androidx.test.internal.platform.content;

/** Only implemented by Robolectric: nothing calls it here. */
public interface PermissionGranter {}

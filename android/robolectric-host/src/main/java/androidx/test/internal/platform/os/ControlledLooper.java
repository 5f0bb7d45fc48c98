package androidx.test.internal.platform.os;

/** Only implemented by Robolectric: nothing calls it here. */
public interface ControlledLooper {}

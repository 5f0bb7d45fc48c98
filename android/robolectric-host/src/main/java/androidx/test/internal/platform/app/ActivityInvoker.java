package androidx.test.internal.platform.app;

/** Only implemented by Robolectric: nothing calls it here. */
public interface ActivityInvoker {}

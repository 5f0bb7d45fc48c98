package androidx.test.internal.platform;

/** Only implemented by Robolectric: nothing calls it here. */
public interface ThreadChecker {}

package androidx.test.platform.ui;

/** Only implemented by Robolectric: nothing calls it here. */
public interface UiController {}

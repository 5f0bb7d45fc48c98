package androidx.test.platform.ui;

public final class InjectEventSecurityException extends Exception {
  public InjectEventSecurityException(String message) {
    super(message);
  }
}

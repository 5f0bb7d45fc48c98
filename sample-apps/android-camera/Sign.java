import com.android.apksig.ApkSigner;
import com.android.apksig.ApkVerifier;
import java.io.File;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/** Signs an APK, with libraries on 16 KB pages, and checks the signature: IN OUT KEYSTORE. */
class Sign {
  public static void main(String[] arguments) throws Exception {
    char[] password = "android".toCharArray();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (FileInputStream stream = new FileInputStream(arguments[2])) {
      keys.load(stream, password);
    }
    PrivateKey key = (PrivateKey) keys.getKey("debug", password);
    X509Certificate certificate = (X509Certificate) keys.getCertificate("debug");
    ApkSigner.SignerConfig signer =
        new ApkSigner.SignerConfig.Builder("debug", key, List.of(certificate)).build();
    File signed = new File(arguments[1]);
    new ApkSigner.Builder(List.of(signer))
        .setInputApk(new File(arguments[0]))
        .setOutputApk(signed)
        .setMinSdkVersion(26)
        .setAlignFileSize(false)
        .setLibraryPageAlignmentBytes(16384)
        .build()
        .sign();
    ApkVerifier.Result result = new ApkVerifier.Builder(signed).build().verify();
    if (!result.isVerified()) {
      throw new IllegalStateException("the signature is not valid: " + result.getAllErrors());
    }
  }
}

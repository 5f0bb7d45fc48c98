package dev.biglittle

import java.io.ByteArrayOutputStream
import java.io.File
import java.security.MessageDigest
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

/** Packs a bundle's folder as `biglittle pack` does: what an app has among its assets. */
internal object Archive {
    private const val COMMENT = "biglittle bundle sha256:"
    private const val SUM_LENGTH = 64

    fun of(folder: File): ByteArray {
        val bytes = ByteArrayOutputStream()
        ZipOutputStream(bytes).use { zip ->
            zip.setComment(COMMENT + "0".repeat(SUM_LENGTH))
            zip.setMethod(ZipOutputStream.STORED)
            for (file in folder.listFiles().orEmpty().sorted()) {
                val content = file.readBytes()
                val entry = ZipEntry(file.name)
                entry.size = content.size.toLong()
                entry.crc = CRC32().also { it.update(content) }.value
                zip.putNextEntry(entry)
                zip.write(content)
            }
        }
        val packed = bytes.toByteArray()
        val sealed = packed.copyOf(packed.size - SUM_LENGTH)
        val sum = MessageDigest.getInstance("SHA-256").digest(sealed)
        return sealed + sum.joinToString("") { "%02x".format(it) }.toByteArray()
    }
}

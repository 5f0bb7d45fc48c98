package dev.biglittle

/**
 * The part of a frame's buffer to look at, before rotation, in pixels.
 *
 * @property x the leftmost column.
 * @property y the topmost row.
 * @property width the number of columns, at least 1.
 * @property height the number of rows, at least 1.
 */
public data class Crop(val x: Int, val y: Int, val width: Int, val height: Int)

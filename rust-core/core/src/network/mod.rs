//! Networks: bytes of an ONNX file in, logits out. The only folder that names
//! tract.

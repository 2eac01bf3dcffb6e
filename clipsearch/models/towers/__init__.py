"""A model's towers in a form that runs without torch: texts in NumPy, pictures in ONNX Runtime.

`facts` is what is known of a model once torch has loaded it, kept in the user's cache or beside the weights;
`text_tower` runs on the weights as they are; `image_tower` runs what `export` made of the other tower, in the precision
that `selection` found to be the quickest of those that are true to single precision. `encoder` puts them together.
"""

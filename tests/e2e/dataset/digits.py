"""Writes pictures of digits that people wrote by hand, which scikit-learn brings, and says which digit each one is."""

import json
import pathlib
import sys

import numpy
from PIL import Image
from sklearn.datasets import load_digits

folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir()
digits = load_digits()
for number, picture in enumerate(digits.images[:count]):
    # 17 shades of grey.
    Image.fromarray(numpy.uint8(picture * 15.9375)).save(folder / f"{number}.png")
print(json.dumps([str(digit) for digit in digits.target[:count]]))

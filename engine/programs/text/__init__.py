"""The numbers in the bytes of a console.

segments  bytes, cut into the texts between line ends and cursor movements
printed   the numbers that were printed together, and the forms that are recognised
numerals  numbers as programs print them
names     the meaning of a printed name: loss, learning rate, step, epoch, or another scalar
bars      tqdm's bars, with Lightning's, and Keras' and Rich's bars of lines
pairs     names with values: "loss: 0.5", "lr=1e-3", the lines of nanoGPT and HF Trainer
pattern   the user's regular expression
"""
